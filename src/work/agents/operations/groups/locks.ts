/**
 * Locks between agents. Taking one is an intent that stays open as long as it is held, so that the record shows who held
 * what and for how long; what a process still holds when it ends is released with it. Tokens are small numbers that
 * anybody could guess: a lock is renewed and released by the asker that took it, and by no other.
 */
import { z } from 'zod';
import type { End } from '../../../../governance/governor/index.ts';
import { isoTime, messageOf } from '../../../../kernel/index.ts';
import { nameSchema } from '../../../../schemas/index.ts';
import { lockOwner } from '../../acting/lock-owner.ts';
import { answerOf, defineOperation, notAllowed, type Operation, type Seat } from '../operation.ts';
import type { OperationParts } from '../parts.ts';
import { tooMany } from '../slots.ts';

interface Held {
  readonly token: number;
  readonly intent: string;
  readonly since: number;
}

export interface LockOperations extends AsyncDisposable {
  readonly operations: readonly Operation[];
}

const mostHeld = 64;
const retryMs = 50;
const ttl = z.int().min(1000).max(600_000).default(60_000);
const tokenSchema = z.int().min(1).describe('Of two grants of one lock the later has the greater token.');

export function lockOperations({ env, governor, state }: OperationParts, { channel, parent }: Seat): LockOperations {
  const { locks } = state;
  const held = new Map<string, Held>();
  let taking = 0;

  const finish = async (name: string, { token, intent, since }: Held): Promise<boolean> => {
    held.delete(name);
    const released = await locks.release(name, token);
    const facts = { lock: name, heldMs: Math.round(env.monotonic() - since) };
    const lost = 'It had run out, or was taken away by a kill, before it was released.';
    await governor.end(channel, intent, released ? { status: 'ok', facts } : { status: 'failed', reason: lost, facts });
    return released;
  };

  const take = async (name: string, ttlMs: number, waitMs: number, intent: string, signal: AbortSignal) => {
    const until = env.monotonic() + waitMs;
    for (;;) {
      const grant = signal.aborted ? undefined : await locks.acquire(name, lockOwner(channel), ttlMs);
      if (grant) {
        held.set(name, { token: grant.token, intent, since: env.monotonic() });
        // Whoever asked has gone meanwhile, and would never release it.
        if (signal.aborted) await finish(name, { token: grant.token, intent, since: env.monotonic() });
        return { held: true, token: grant.token, expiresAt: isoTime(grant.expiresAt) };
      }
      if (signal.aborted || env.monotonic() >= until) {
        const holder = await locks.holder(name);
        const by = holder?.owner ?? 'nobody any more';
        await governor.end(channel, intent, { status: 'failed', reason: `It is held by ${by}.`, facts: {} });
        return { held: false, holder: by };
      }
      // Only the abort rejects it, which is looked at above.
      await env.sleep(Math.min(retryMs, until - env.monotonic()), signal).catch(() => undefined);
    }
  };

  const operations = [
    defineOperation({
      name: 'lock',
      description: 'Take a lock that all agents of the project share, and wait for it if somebody else holds it.',
      input: z.strictObject({
        name: nameSchema,
        ttlMs: ttl.describe('It ends by itself after that, unless it is renewed.'),
        waitMs: z.int().min(0).max(50_000).default(0).describe('Then the answer is that it is held by somebody.'),
      }),
      output: answerOf({
        held: z.boolean(),
        token: tokenSchema.optional(),
        expiresAt: z.string().optional(),
        holder: z.string().optional().describe('Who holds it, when it is not you.'),
      }),
      async perform({ name, ttlMs, waitMs }, signal) {
        if (held.size + taking >= mostHeld) throw tooMany(`It holds, or waits for, ${mostHeld} locks.`);
        taking += 1;
        try {
          const resource = `${channel.agent}/locks/${name}`;
          const args = { lock: name, ttlMs };
          const begun = await governor.begin(channel, { action: 'state.write', resource, args }, { parent });
          if (begun.verdict !== 'allow') return notAllowed(begun);
          const { id: intent } = begun;
          const taken = await take(name, ttlMs, waitMs, intent, signal).catch(async (error: unknown) => {
            held.delete(name);
            await governor.end(channel, intent, failure(error));
            throw error;
          });
          return { verdict: 'allow' as const, intent, ...taken };
        } finally {
          taking -= 1;
        }
      },
    }),
    defineOperation({
      name: 'renew',
      description: 'Keep a lock that you took for longer.',
      input: z.strictObject({ name: nameSchema, token: tokenSchema, ttlMs: ttl }),
      output: z.strictObject({ held: z.boolean().describe('False when it is no longer, or was never, yours.') }),
      async perform({ name, token, ttlMs }) {
        const mine = held.get(name);
        if (mine?.token !== token) return { held: false };
        if (await locks.renew(name, token, ttlMs)) return { held: true };
        await finish(name, mine);
        return { held: false };
      },
    }),
    defineOperation({
      name: 'unlock',
      description: 'Release a lock that you took.',
      input: z.strictObject({ name: nameSchema, token: tokenSchema }),
      output: z.strictObject({ released: z.boolean().describe('False when it was no longer, or never, yours.') }),
      async perform({ name, token }) {
        const mine = held.get(name);
        return { released: mine?.token === token ? await finish(name, mine) : false };
      },
    }),
    defineOperation({
      name: 'locks',
      description: 'Which locks are held now, and by whom.',
      input: z.strictObject({}),
      output: answerOf({
        locks: z.array(
          z.strictObject({ name: z.string(), holder: z.string(), expiresAt: z.string(), mine: z.boolean() }),
        ),
      }),
      async perform() {
        const list = async () => ({
          outcome: { status: 'ok' as const, facts: {} },
          value: (await locks.held()).slice(0, 1000),
        });
        const intent = { action: 'state.read', resource: 'locks', args: {} } as const;
        const acted = await governor.act(channel, intent, list, { parent });
        if (acted.verdict !== 'allow') return notAllowed(acted);
        const shown = acted.value.map(({ name, owner, token, expiresAt }) => ({
          ...{ name, holder: owner, expiresAt: isoTime(expiresAt), mine: held.get(name)?.token === token },
        }));
        return { verdict: acted.verdict, intent: acted.id, locks: shown };
      },
    }),
  ];

  return {
    operations,
    async [Symbol.asyncDispose]() {
      for (const [name, mine] of [...held]) {
        // It runs out by itself, and its open intent is settled as unknown: the others are released all the same.
        await finish(name, mine).catch(() => undefined);
      }
    },
  };
}

function failure(error: unknown): End {
  return { status: 'failed', reason: messageOf(error).slice(0, 2000), facts: {} };
}
