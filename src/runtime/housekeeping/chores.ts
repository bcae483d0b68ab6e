/** What is left to do between commands: each chore may be done at any time, by anybody, as often as one likes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Secrets } from '../../adapters/secrets/port.ts';
import type { State } from '../../adapters/state/port.ts';
import type { Approvals } from '../../governance/approvals/index.ts';
import { settleOpenIntents } from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { type Env, isoTime, systemCode } from '../../kernel/index.ts';
import type { Roster } from '../../work/agents/index.ts';
import type { Chore } from './loop.ts';

export interface ChoreParts {
  readonly env: Env;
  /** Names the published head among those of other hosts. */
  readonly host: string;
  ledger(): Promise<Ledger>;
  state(): Promise<State>;
  roster(): Promise<Roster>;
  approvals(): Promise<Approvals>;
  /** Undefined where no secret was ever stored. */
  secrets(): Promise<Secrets | undefined>;
  /** Finishes revocations that were cut short; how many. */
  readonly retryKills?: (() => Promise<number>) | undefined;
  /** Ends what is left of retired agents' identities; how many have ended. */
  readonly finishRetirements?: (() => Promise<number>) | undefined;
  /** Tidies the memory up; undefined where there is none. */
  readonly tidyMemory?: (() => Promise<string | undefined>) | undefined;
  /** Looks at everything; what is not well. */
  look(): Promise<string | undefined>;
}

export interface ChorePace {
  readonly everyMs: number;
  readonly healthEveryMs: number;
  readonly memoryEveryMs: number;
  readonly publish: { readonly folder?: string | undefined; readonly everyMs: number };
}

export function choresOf(
  parts: ChoreParts,
  { everyMs, healthEveryMs, memoryEveryMs, publish }: ChorePace,
): readonly Chore[] {
  const { retryKills, finishRetirements, tidyMemory } = parts;
  const { folder } = publish;
  return [
    { name: 'roster', everyMs, run: () => reconcile(parts) },
    ...(retryKills
      ? [{ name: 'kills', everyMs, run: async () => some(await retryKills(), 'revocations finished') }]
      : []),
    ...(finishRetirements
      ? [
          {
            name: 'retirements',
            everyMs,
            run: async () => some(await finishRetirements(), 'identities of retired agents ended'),
          },
        ]
      : []),
    {
      name: 'intents',
      everyMs,
      run: async () =>
        some(await settleOpenIntents(await parts.ledger()), 'open intents of dead governors settled as unknown'),
    },
    {
      name: 'approvals',
      everyMs,
      run: async () => some(await (await parts.approvals()).expire(), 'approvals expired'),
    },
    { name: 'leases', everyMs, run: () => endForgotten(parts) },
    { name: 'head', everyMs, run: () => publishHead(parts) },
    ...(folder === undefined
      ? []
      : [{ name: 'tiles', everyMs: publish.everyMs, run: () => publishTiles(parts, folder) }]),
    ...(tidyMemory ? [{ name: 'memory', everyMs: memoryEveryMs, run: tidyMemory }] : []),
    { name: 'health', everyMs: healthEveryMs, run: () => parts.look() },
  ];
}

/** A state that was emptied, or came back older than it was, is filled again from the ledger; revocations first. */
async function reconcile({ roster }: ChoreParts): Promise<string | undefined> {
  return some(await (await roster()).reconcile(), 'agents brought in line with the ledger');
}

/** A lease whose intent is over serves nobody: its governor died before it could end it. Listing retries the others. */
async function endForgotten({ ledger, secrets }: ChoreParts): Promise<string | undefined> {
  const store = await secrets();
  if (!store) return undefined;
  const log = await ledger();
  let ended = 0;
  for (const lease of await store.leases()) {
    const open = log.openIds().includes(lease.intent);
    const intent = open || lease.unended !== undefined ? undefined : log.byId(lease.intent);
    // An intent that is not in this record belongs to a governor with another one.
    if (!intent) continue;
    await store.end(lease.id);
    ended += 1;
    await log.append({
      kind: 'secret',
      parent: intent.id,
      ...(intent.agent ? { agent: intent.agent } : {}),
      ...(intent.run ? { run: intent.run } : {}),
      body: { step: 'ended', path: lease.path, version: lease.version, reason: 'Its governor ended before it.' },
    });
  }
  return some(ended, 'forgotten leases ended');
}

const publishedSchema = z.object({ note: z.string() });

/** To the state, where every host sees it: whoever cuts the record here does not reach that copy by the same way. */
async function publishHead({ ledger, state, host, env }: ChoreParts): Promise<string | undefined> {
  const log = await ledger();
  const { board } = await state();
  const key = `ledger/head/${host}`;
  const published = await board.get(key);
  const known = publishedSchema.safeParse(published?.value);
  if (known.success) log.checkHead(known.data.note);
  const { note } = log.head();
  if (known.success && known.data.note === note) return undefined;
  await board.set(key, { note, at: isoTime(env.now()) }, published?.version ?? 0);
  return undefined;
}

/** Never over a published log that today's does not continue. */
async function publishTiles({ ledger }: ChoreParts, folder: string): Promise<string | undefined> {
  const log = await ledger();
  const published = readIfThere(join(folder, 'checkpoint'));
  if (published !== undefined) log.checkHead(published);
  if (published === log.head().note) return undefined;
  const { entries } = await log.exportTo(folder);
  return `${entries} entries published in ${folder}`;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function some(count: number, what: string): string | undefined {
  return count === 0 ? undefined : `${count} ${what}`;
}
