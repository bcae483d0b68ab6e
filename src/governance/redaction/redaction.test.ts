/** Secrets are found wherever the stream is cut, and what only looks a little like one is left alone. */
import { describe, expect, it } from 'vitest';
import { findSecrets, type SecretFind, secretRules, secretScanner } from './index.ts';

/** Written in two halves: other people's scanners read this file too. */
const aws = `AKIA${'IOSFODNN7EXAMPLF'}`;
const github = `ghp_${'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'}`;
const slack = `xoxb-${'17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy'}`;
const npm = `npm_${'a8Kq2LmZ0pXcV7bN4sRtY6uW1eD3fG5hJ9kQ'}`;
const jwt = `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${'zdWIiOiIxMjM0NTY3ODkwIn0'}.${'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'}`;
const pem = (words: string, body: string): string => `-----BEGIN ${words}-----\n${body}\n-----END ${words}-----`;
const key = pem(
  'RSA PRIVATE KEY',
  'MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB\naFDrBz9vFqU4yK5lzP8bQ==',
);

/** Rule, text, and the secret in it. */
const positives: readonly (readonly [string, string, string])[] = [
  ['aws-access-key', `aws_access_key_id = ${aws}`, aws],
  ['aws-access-key', `"${aws}"`, aws],
  ['github-token', `git clone https://${github}@github.com/a/b`, github],
  ['github-token', `github_pat_${'11ABCDEFG0aBcDeFgHiJkL_x9'}`, `github_pat_${'11ABCDEFG0aBcDeFgHiJkL_x9'}`],
  ['gitlab-token', `glpat-${'aBcD1234eFgH5678iJkL'}`, `glpat-${'aBcD1234eFgH5678iJkL'}`],
  ['slack-token', `SLACK: ${slack}.`, slack],
  [
    'slack-webhook',
    `https://hooks.slack.com/services/T0${'AAAAAA1/B0BBBBBB1/x1y2z3x1y2z3x1y2z3x1y2z3'}`,
    `hooks.slack.com/services/T0${'AAAAAA1/B0BBBBBB1/x1y2z3x1y2z3x1y2z3x1y2z3'}`,
  ],
  ['npm-token', `npm login with ${npm} now`, npm],
  ['jwt', `cookie: session ${jwt}; path=/`, jwt],
  ['anthropic-key', `sk-ant-${'api03-abcDEF123456ghiJKL7890'}`, `sk-ant-${'api03-abcDEF123456ghiJKL7890'}`],
  ['openai-key', `sk-${'proj-Ab1cdEf2ghIj3klMn4opQr5stUv6wxYz'}`, `sk-${'proj-Ab1cdEf2ghIj3klMn4opQr5stUv6wxYz'}`],
  ['google-key', `AIza${'SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY'}`, `AIza${'SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY'}`],
  ['stripe-key', `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`, `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`],
  ['vault-token', `hvs.${'CAESIJ2b3c4d5e6f7g8h9i0jklmn'}`, `hvs.${'CAESIJ2b3c4d5e6f7g8h9i0jklmn'}`],
  ['private-key', `x\n${key}\ny`, key],
  [
    'private-key',
    `{"key":"-----BEGIN PRIVATE KEY-----\\nMIIEvQ==\\n-----END PRIVATE KEY-----\\n"}`,
    '-----BEGIN PRIVATE KEY-----\\nMIIEvQ==\\n-----END PRIVATE KEY-----',
  ],
  [
    'private-key',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA',
  ],
  ['authorization-header', 'Authorization: Basic dXNlcjpwYXNzd29yZA==', 'dXNlcjpwYXNzd29yZA=='],
  ['authorization-header', `curl -H "authorization: Bearer abcdef0123456789"`, 'abcdef0123456789'],
  ['bearer-token', 'sent Bearer 9f86d081884c7d659a2feaa0c55ad015', '9f86d081884c7d659a2feaa0c55ad015'],
  ['url-credentials', 'postgres://app:s3cr3t-pw@db.example:5432/app', 's3cr3t-pw'],
  ['assigned-password', 'DB_PASSWORD=hunter2hunter', 'hunter2hunter'],
  ['assigned-password', `password: "Correct-Horse-9"`, 'Correct-Horse-9'],
  ['assigned-password', `{"password":"tr0ub4dor&3"}`, 'tr0ub4dor&3'],
  ['assigned-secret', 'CLIENT_SECRET=8f14e45fceea167a5a36dedd4bea2543', '8f14e45fceea167a5a36dedd4bea2543'],
  [
    'assigned-secret',
    `aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzKEY9`,
    'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzKEY9',
  ],
  ['assigned-secret', `  api-key: 'Zx81kQ0pLm29vB7n'`, 'Zx81kQ0pLm29vB7n'],
];

const negatives: readonly string[] = [
  'the token of the session is checked by the router',
  'password: string;',
  'const password = getPassword(user);',
  'password = process.env.DB_PASSWORD',
  'PASSWORD=${DB_PASSWORD}',
  'password: "<your password here>"',
  'password_file: /run/secrets/db1',
  'token_count: 12345678901',
  'secret_id: 550e8400-e29b-41d4-a716-446655440000',
  'tokenHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
  'secrets.vault.address',
  'token = this.session1.token2',
  'Authorization: Bearer $TOKEN',
  'Authorization: Bearer <token>',
  'bearer of good news from the north of the country',
  'AKIAnotakeyatall',
  'the asian elephants AKIA and ASIA',
  'commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b',
  'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'https://user:password@host.example/',
  'https://example.com:8443/path@1.2',
  '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----',
  '-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END CERTIFICATE-----',
  'eyJust three words.eyJoined.by dots',
  'sk-SK is the locale of Slovakia, and sk-learn-like-names-are-many-in-python-code',
  'npm_config_registry=https://registry.example/',
  'password="********"',
  'passwd: x',
];

describe.each(positives)('%s in %s', (rule, text, secret) => {
  it('is found, as what it is and no more', () => {
    const [found, ...others] = findSecrets(text);
    expect(others).toEqual([]);
    expect(found?.rule).toBe(rule);
    expect(
      Buffer.from(text)
        .subarray(found?.offset, (found?.offset ?? 0) + (found?.length ?? 0))
        .toString(),
    ).toBe(secret);
  });
});

it.each(negatives)('leaves alone: %s', (text) => {
  expect(findSecrets(text)).toEqual([]);
});

it('has a positive for each rule', () => {
  const shown = new Set(positives.map(([rule]) => rule));
  expect(secretRules.map(({ name }) => name).filter((name) => !shown.has(name) && name !== 'age-key')).toEqual([]);
});

it('gives the same result wherever the stream is cut, and keeps every other byte', () => {
  const text = positives.map(([, one], i) => `${i} Grüße\n${one}\n`).join('filler '.repeat(40));
  const bytes = Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0x00, 0xfe])]);
  const whole = scanned([bytes]);
  expect(whole.finds.length).toBeGreaterThanOrEqual(positives.length);
  for (const [, , secret] of positives) expect(whole.out.includes(secret)).toBe(false);
  for (const size of [1, 2, 3, 7, 31, 32, 33, 100, 1000]) {
    const chunks = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    const cut = scanned(chunks);
    expect(cut.finds).toEqual(whole.finds);
    expect(cut.out.equals(whole.out)).toBe(true);
  }
});

it('holds a bounded amount back, whatever comes', () => {
  const scanner = secretScanner(() => undefined);
  let held = 0;
  for (let n = 0; n < 200; n++) {
    const chunk = Buffer.from(
      `-----BEGIN RSA PRIVATE KEY-----${'!'.repeat(1000)} token: ${'a'.repeat(500)} `.repeat(4),
    );
    held += chunk.length;
    for (const piece of scanner.push(chunk)) held -= piece.length;
  }
  // Marks are longer or shorter than what they stand for, by little.
  expect(Math.abs(held)).toBeLessThan(64_000);
});

it('is not slowed down by text that nearly matches', () => {
  const text = Buffer.from(`password=${'a'.repeat(50)} secret: token= `.repeat(20_000));
  const begun = performance.now();
  findSecrets(text);
  expect(performance.now() - begun).toBeLessThan(3000);
});

function scanned(chunks: readonly Uint8Array[]): { readonly finds: readonly SecretFind[]; readonly out: Buffer } {
  const finds: SecretFind[] = [];
  const scanner = secretScanner((find) => finds.push(find));
  const out = [...chunks.flatMap((chunk) => scanner.push(chunk)), ...scanner.push(new Uint8Array(), true)];
  return { finds, out: Buffer.concat(out) };
}
