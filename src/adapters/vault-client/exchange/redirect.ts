/**
 * Where a redirect may lead. It may change who answers and never what is asked; the token goes along only to a host that
 * the address or the certificate authority in the configuration vouches for. Any other server could keep the token.
 */
import { unavailable } from '../refusals.ts';

export interface Trust {
  /** The address of the configuration. */
  readonly home: URL;
  /** Whether hosts are vouched for by a certificate authority of the configuration's own. */
  readonly ownAuthority: boolean;
}

/** @throws AgovError SECRETS_UNAVAILABLE */
export function nextHop(asked: URL, location: string | undefined, { home, ownAuthority }: Trust): URL {
  const to = location === undefined ? null : URL.parse(location, asked.href);
  if (!to) throw refused('It does not say where to.');
  if (to.username !== '' || to.password !== '') throw refused('It holds a user name.');
  if (to.pathname !== asked.pathname || to.search !== asked.search) throw refused('It asks for something else.');
  if (to.protocol !== 'https:' && to.protocol !== home.protocol) throw refused('It leads away from TLS.');
  if (to.hostname === home.hostname) return to;
  if (to.protocol === 'https:' && ownAuthority) return to;
  throw refused('It leads to another host, for which no certificate authority of yours vouches.');
}

function refused(why: string) {
  return unavailable('redirect', {
    what: 'Vault answered with a redirect that is not followed.',
    why,
    fix: 'Name the active node or the load balancer in secrets.vault.address, and its authority in secrets.vault.caFile.',
  });
}
