/** Where the state server is: a URL that can be shown to anybody, since the password never is part of it. */
import { AgovError, type Secret } from '../../../../kernel/index.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  /** `host:port`, for messages. */
  readonly label: string;
}

/** @throws AgovError CONFIG_INVALID */
export function parseAddress(url: string, password: Secret | undefined): Address {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !['redis:', 'rediss:'].includes(parsed.protocol) || parsed.hostname === '') {
    throw refused('The URL of the state server is not one.', 'Write redis://HOST:PORT, or rediss://HOST:PORT for TLS.');
  }
  if (parsed.password !== '') {
    throw refused(
      'The URL of the state server holds a password.',
      'Take it out, change it on the server, and give it in the environment variable AGOV_STATE_PASSWORD.',
    );
  }
  if (!['', '/', '/0'].includes(parsed.pathname) || parsed.search !== '' || parsed.hash !== '') {
    throw refused(
      'The URL of the state server has more than user, host and port.',
      'Leave the rest out: agov uses database 0, the only one that Dragonfly and clusters are sure to have.',
    );
  }
  const username = parsed.username === '' ? undefined : decodeURIComponent(parsed.username);
  if (username !== undefined && !password) {
    throw refused(
      `The state server is to be used as "${username}", and no password is set.`,
      'Give it in the environment variable AGOV_STATE_PASSWORD.',
    );
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const port = Number(parsed.port || 6379);
  return { host, port, tls: parsed.protocol === 'rediss:', username, password, label: `${parsed.hostname}:${port}` };
}

function refused(what: string, fix: string): AgovError {
  return new AgovError('CONFIG_INVALID', { what, fix });
}
