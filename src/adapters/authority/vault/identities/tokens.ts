/**
 * The accessors of agents' live tokens, so that a revocation on any host ends them and the leases below. A token that
 * is not on this record (its governor died in between) is refused with its entity, and ends within minutes.
 */
import { z } from 'zod';
import { type Env, sha256Hex } from '../../../../kernel/index.ts';
import { type Call, inParallel, refusalAnswer, unavailable, type Vault } from '../../../vault-client/index.ts';
import { type Records, records } from './records.ts';

const tokenSchema = z.strictObject({ accessor: z.string().min(1), expiresAt: z.int() });
type TokenRecord = z.infer<typeof tokenSchema>;

export interface Tokens {
  keep(call: Call, agent: string, accessor: string, lifeMs: number): Promise<void>;
  end(call: Call, agent: string, accessor: string): Promise<void>;
  /** How many may live. */
  living(call: Call, agent: string): Promise<number>;
  /** How many were live. @throws SECRETS_UNAVAILABLE when one lives on; the others are ended all the same */
  endAll(call: Call, agent: string): Promise<number>;
}

export function tokens(vault: Vault, mount: string, folder: string, env: Env): Tokens {
  const of = (agent: string): Records<TokenRecord> => records(vault, mount, `${folder}/${agent}`, tokenSchema);
  /** An accessor may hold characters that no path takes. */
  const keyOf = (accessor: string): string => sha256Hex(accessor);

  const end = async (call: Call, agent: string, accessor: string): Promise<boolean> => {
    const ended = await revokeAccessor(vault, call, accessor);
    await of(agent).drop(call, keyOf(accessor));
    return ended;
  };

  return {
    async keep(call, agent, accessor, lifeMs) {
      await of(agent).create(call, keyOf(accessor), { accessor, expiresAt: env.now() + lifeMs });
    },
    async end(call, agent, accessor) {
      await end(call, agent, accessor);
    },
    async living(call, agent) {
      const kept = of(agent);
      const found = await inParallel(await kept.keys(call), (key) => kept.read(call, key));
      return found.filter((one) => one !== undefined && one.record.expiresAt > env.now()).length;
    },
    async endAll(call, agent) {
      const kept = of(agent);
      let ended = 0;
      const failures: unknown[] = [];
      await inParallel(await kept.keys(call), async (key) => {
        try {
          const found = await kept.read(call, key);
          if (found && (await end(call, agent, found.record.accessor))) ended += 1;
        } catch (error) {
          // The next one is ended all the same; this one is told below.
          failures.push(error);
        }
      });
      if (failures.length > 0) throw failures[0];
      return ended;
    },
  };
}

/** False when it was gone already. */
export async function revokeAccessor(vault: Vault, call: Call, accessor: string): Promise<boolean> {
  const path = 'auth/token/revoke-accessor';
  const answer = await vault.send(call, { method: 'POST', path, body: { accessor } }, 400, 403);
  if (answer.status < 300) return true;
  const refusal = refusalAnswer.safeParse(answer.json);
  if (refusal.success && refusal.data.errors.some((text) => text.includes('invalid accessor'))) return false;
  throw unavailable('unrevoked', {
    what: 'A token of an agent could not be revoked.',
    why: answer.status === 403 ? 'Our token may not update auth/token/revoke-accessor.' : vault.said(answer),
    fix: 'Try again. Its identity is refused until then, and the token ends by itself.',
  });
}
