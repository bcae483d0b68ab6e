/**
 * Which addresses a name may lead to. The proxy resolves names itself and connects to the very address it looked at, so
 * that a name on the list cannot be pointed at the host's own services or the cloud's metadata (DNS rebinding).
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

// Two lists: one would match every IPv4 address, as ::ffff:a.b.c.d, against the IPv6 ranges.
const closed = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  closed.ipv4.addSubnet(address, prefix, 'ipv4');
}
// Public IPv6 is 2000::/3; of it, Teredo and 6to4 wrap IPv4 addresses of any kind.
for (const [address, prefix] of [
  ['::', 3],
  ['2001::', 32],
  ['2002::', 16],
  ['4000::', 2],
  ['8000::', 1],
] as const) {
  closed.ipv6.addSubnet(address, prefix, 'ipv6');
}

/** Whether `address` is loopback, link-local, private or otherwise not a public unicast address. */
export function isPrivate(address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return closed[family].check(address, family);
}

export type Resolved =
  | { readonly ok: true; readonly address: string }
  | { readonly ok: false; readonly reason: string; readonly refused: boolean };

export type Resolve = (host: string) => Promise<readonly { readonly address: string }[]>;

const systemResolve: Resolve = (host) => lookup(host, { all: true, verbatim: false });

/**
 * The address to connect to. A literal address that was authorised is taken as it is: whoever lists it means it. A name
 * is refused as soon as one of its addresses is private, unless `allowPrivate` has the name.
 */
export async function addressOf(
  host: string,
  allowPrivate: readonly string[],
  resolve: Resolve = systemResolve,
): Promise<Resolved> {
  if (isIP(host) !== 0) return { ok: true, address: host };
  let found: readonly { readonly address: string }[];
  try {
    found = await resolve(host);
  } catch {
    return { ok: false, refused: false, reason: `The name ${host} does not resolve.` };
  }
  const [first] = found;
  if (first === undefined) return { ok: false, refused: false, reason: `The name ${host} has no address.` };
  const inside = allowPrivate.includes(host) ? undefined : found.find(({ address }) => isPrivate(address));
  if (inside !== undefined) {
    return { ok: false, refused: true, reason: `The name ${host} leads to the private address ${inside.address}.` };
  }
  return { ok: true, address: first.address };
}
