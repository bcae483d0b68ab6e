/** The exchanges recorded from a real Vault, and answers made of them. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const exchange = z.object({
  section: z.string(),
  name: z.string(),
  request: z.object({ method: z.string(), path: z.string(), body: z.json().optional() }),
  response: z.object({ status: z.int(), body: z.json() }),
});
type Exchange = z.infer<typeof exchange>;

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const file = new URL('../../vectors/vault/exchanges.json', import.meta.url);

export const exchanges: readonly Exchange[] = z
  .object({ exchanges: z.array(exchange) })
  .parse(JSON.parse(readFileSync(file, 'utf8'))).exchanges;

/** The recorded answer; with `members` in place of its own where those are given. The last one of a name counts. */
export function recorded(name: string, members?: Readonly<Record<string, unknown>>): Reply {
  const found = exchanges.findLast((one) => one.name === name);
  if (!found) throw new Error(`No exchange is called "${name}".`);
  const { status, body } = found.response;
  if (!members) return { status, body };
  return { status, body: { ...z.record(z.string(), z.unknown()).parse(body), ...members } };
}

/** The member `name` of a recorded body, with `members` in place of its own. */
export function part(name: string, member: string, members: Readonly<Record<string, unknown>>): object {
  const body = z.record(z.string(), z.unknown()).parse(recorded(name).body);
  return { ...z.record(z.string(), z.unknown()).parse(body[member]), ...members };
}
