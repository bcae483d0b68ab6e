/**
 * What a secret looks like, rule by rule. A rule is asked only where one of its anchors stands, so that most text costs one
 * table look-up a byte. Its pattern starts at the anchor; group 1 stays, group 2 is the secret.
 */
import { isOpaque, isPassphrase } from './plausible.ts';

export interface SecretRule {
  readonly name: string;
  readonly means: string;
  readonly anchors: readonly string[];
  /** Sticky; it sees one byte before the anchor and `ahead` bytes from it on. */
  readonly pattern: RegExp;
  readonly ahead: number;
  /** What the pattern cannot say; `key` is group 1. */
  accepts?(value: string, key: string): boolean;
}

const notInWord = '(?<![A-Za-z0-9])';
const wordEnds = '(?![A-Za-z0-9])';

/** A token that is known by how it begins. */
function token(name: string, means: string, anchors: readonly string[], body: string, ahead = 400): SecretRule {
  return { name, means, anchors, ahead, pattern: new RegExp(`()${notInWord}(${body})`, 'y') };
}

const assignment = String.raw`[\w.-]{0,24}["'\]]{0,2}[ \t]{0,8}(?:=>|:=|=|:)[ \t]{0,8}`;
const quoted = String.raw`(?<=["'\x60])[^"'\x60\s\\]{8,200}(?=["'\x60])`;
const bare = String.raw`(?<![$"'\x60])[^\s"'\x60,;(){}<>[\]&|\\]{8,200}(?=[\s,;&|"'\x60)}\]]|$)`;
const assigned = new RegExp(String.raw`([A-Za-z_-]{3,20}${assignment}["'\x60]?)(${quoted}|${bare})`, 'y');

export const secretRules: readonly SecretRule[] = [
  token(
    'aws-access-key',
    'access key id of AWS',
    ['akia', 'asia', 'abia', 'acca'],
    `(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}${wordEnds}`,
    40,
  ),
  token(
    'github-token',
    'token of GitHub',
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    `(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})`,
  ),
  token('gitlab-token', 'token of GitLab', ['glpat-'], 'glpat-[A-Za-z0-9_-]{20,100}'),
  token(
    'slack-token',
    'token of Slack',
    ['xoxa-', 'xoxb-', 'xoxe-', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-', 'xapp-'],
    '(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,250}',
  ),
  token(
    'slack-webhook',
    'incoming webhook of Slack',
    ['hooks.slack.com/services/'],
    'hooks\\.slack\\.com/services/T[A-Za-z0-9]{6,}/B[A-Za-z0-9]{6,}/[A-Za-z0-9]{16,}',
  ),
  token('npm-token', 'token of npm', ['npm_'], `npm_[A-Za-z0-9]{36}${wordEnds}`, 60),
  token('anthropic-key', 'key of Anthropic', ['sk-ant-'], 'sk-ant-[A-Za-z0-9_-]{20,200}'),
  token(
    'openai-key',
    'key of OpenAI',
    ['sk-'],
    `sk-(?!ant-)(?:proj-|svcacct-|admin-)?(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{32,200}`,
  ),
  token('google-key', 'API key of Google', ['aiza'], `AIza[A-Za-z0-9_-]{35}${wordEnds}`, 60),
  token('stripe-key', 'live key of Stripe', ['sk_live_', 'rk_live_'], '[sr]k_live_[A-Za-z0-9]{20,200}'),
  token('vault-token', 'token of HashiCorp Vault', ['hvs.', 'hvb.', 'hvr.'], 'hv[sbr]\\.[A-Za-z0-9_-]{24,300}'),
  token('age-key', 'secret key of age', ['age-secret-key-1'], 'AGE-SECRET-KEY-1[A-Z0-9]{58}', 100),
  token(
    'jwt',
    'JSON Web Token',
    ['eyj'],
    'eyJ[A-Za-z0-9_-]{8,2000}\\.eyJ[A-Za-z0-9_-]{8,4000}\\.[A-Za-z0-9_-]{10,1000}',
    8192,
  ),
  {
    name: 'private-key',
    means: 'private key in PEM or OpenPGP armour',
    anchors: ['-----begin '],
    // One whose end is not there within reach ends where its letters do: half a key is a secret too.
    pattern:
      /()(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]{0,16000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:\\[nr]|[A-Za-z0-9+/=\s:,.-]){0,16000}))/y,
    ahead: 16_384,
  },
  {
    name: 'authorization-header',
    means: 'credentials of an HTTP request',
    anchors: ['authorization'],
    pattern:
      /([Aa][Uu][Tt][Hh]\w{9}["'\\]{0,3}[ \t]{0,8}[:=][ \t]{0,8}["'\\]{0,3}(?:Bearer|bearer|Basic|basic|Token|token|ApiKey)[ \t]{1,8})([A-Za-z0-9._~+/=-]{8,4096})/y,
    ahead: 4200,
    accepts: (value) => !/^(?:token|example|x+|\.+)$/i.test(value),
  },
  {
    name: 'bearer-token',
    means: 'bearer token',
    anchors: ['bearer '],
    pattern: /([Bb]earer[ \t]{1,8})([A-Za-z0-9._~+/=-]{20,4096})/y,
    ahead: 4200,
    accepts: (value) => isOpaque(value),
  },
  {
    name: 'url-credentials',
    means: 'password in a URL',
    anchors: ['://'],
    pattern: /(:\/\/[^\s/@:"'<>{}]{0,100}:)([^\s/@"'<>{}$]{3,200})(?=@[A-Za-z0-9[])/y,
    ahead: 320,
    accepts: (value) => !/^(?:pass(?:word)?|secret|x+|\*+|\.+|pw)$/i.test(value),
  },
  {
    name: 'assigned-password',
    means: 'value given to a name such as password',
    anchors: ['password', 'passwd', 'passphrase', 'pwd'],
    pattern: assigned,
    ahead: 280,
    accepts: (value, key) => isPassphrase(value, key),
  },
  {
    name: 'assigned-secret',
    means: 'value of high entropy given to a name such as secret, token or api_key',
    anchors: [
      'secret',
      'token',
      'api_key',
      'api-key',
      'apikey',
      'access_key',
      'accesskey',
      'private_key',
      'privatekey',
      'credential',
      'auth_key',
      'authkey',
    ],
    pattern: assigned,
    ahead: 280,
    accepts: (value, key) => namesSecret(key) && isOpaque(value),
  },
];

/** `token_count` and `secret_path` name something else. */
function namesSecret(key: string): boolean {
  return !/(?:hash|sha\d*|digest|ids?|names?|paths?|files?|urls?|uri|counts?|limits?|types?|ttl|length|size|version|expir\w*|s_used)["'\]]{0,2}[ \t]*(?:=>|:=|=|:)[ \t]*["'`]?$/i.test(
    key,
  );
}
