/**
 * Checkpoints of a project for one asker: snapshots of where the work stands, to begin again from. Each is whole or absent.
 * An agent has its own, of its own workspace, and each use is an intent.
 */
import type { Checkouts } from '../../adapters/checkout/port.ts';
import type { Channel, Governor } from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { AgovError, type Env, type IdSource, isoTime, type JsonObject, sha256Hex } from '../../kernel/index.ts';
import type { Tokenizer } from '../tokens/index.ts';
import { type Brief, briefOf } from './brief/brief.ts';
import { encodeCheckpoint, type Read } from './format/file.ts';
import type { About, Cause, Checkpoint, PartValue } from './format/parts.ts';
import { hunksIn } from './look/files.ts';
import { type Looked, lookAround } from './look/look.ts';
import { cleaner } from './look/redact.ts';
import type { Sources } from './look/sources.ts';
import { bounded, checkBudget, parseTag, tooManyTags } from './said.ts';
import { findCheckpoint, tryRead } from './store/find.ts';
import { heldToRecord, type Recorded } from './store/record.ts';
import type { Store } from './store/store.ts';
import { type Difference, differences } from './use/difference.ts';
import { ownedBy, type Pruned, pruneOf } from './use/prune.ts';
import { type Restored, type RestoreWanted, restoreFiles } from './use/restore.ts';

export type CheckpointAsker =
  | { readonly operator: string; readonly user: string }
  | { readonly channel: Channel; readonly governor: Pick<Governor, 'act'>; readonly parent?: string };

export interface CheckpointsParts {
  readonly store: Store;
  readonly env: Env;
  readonly ids: IdSource;
  readonly checkouts: Checkouts;
  readonly tokenizer: () => Promise<Tokenizer>;
  readonly ledger: () => Promise<Pick<Ledger, 'append'>>;
  readonly recorded: () => Promise<Recorded>;
  /** Real path of the folder whose work it is. */
  readonly root: string;
  /** Absolute paths that are nobody's work. */
  readonly closed: readonly string[];
  readonly sources: Sources;
}

export interface NowOptions {
  readonly notes?: string;
  readonly next?: readonly string[];
  readonly tag?: string;
  readonly cause?: Cause;
}

export interface Taken {
  readonly about: About;
  readonly files: number;
  /** Parts that could not be had. */
  readonly missing: readonly { readonly part: string; readonly why: string }[];
}

export interface PruneOptions {
  readonly automatic?: boolean;
  /** Those of an agent, for an operator. */
  readonly agent?: string;
}

export interface Checkpoints {
  /** @throws DISK_FULL, NOT_WRITABLE, INPUT_INVALID, DENIED */
  now(options?: NowOptions): Promise<Taken>;
  /**
   * Within so many tokens: of the newest one and of what stands now, or, where one is named, of that one as it was.
   * @throws NOT_FOUND, CONFLICT, INPUT_INVALID, DENIED
   */
  brief(name: string | undefined, budget: number): Promise<Brief>;
  get(name: string): Promise<Read>;
  /** What stands now, kept nowhere. */
  look(): Promise<Looked>;
  /** The unified diff of its files; empty where it has none. */
  diffText(read: Pick<Read, 'checkpoint'>): Promise<string>;
  /** The newest first. Those that cannot be read are told by their names. */
  list(): Promise<{ readonly read: readonly Read[]; readonly broken: readonly string[] }>;
  difference(a: string, b: string): Promise<readonly Difference[]>;
  /** Those with a tag stay; `automatic`: and those that somebody asked for. */
  prune(keep: number, options?: PruneOptions): Promise<Pruned>;
  restore(name: string, wanted: (about: About) => RestoreWanted): Promise<Restored & Pick<Read, 'damage'>>;
}

/** What of one agent stays. */
const mostOfAgent = 100;
/** So many more before they are let go of together: it takes a look at all that there are. */
const slack = 20;
const mostTagged = 50;

export function checkpointsOf(parts: CheckpointsParts, asker: CheckpointAsker): Checkpoints {
  const { store, env, ids, checkouts, root, closed, sources } = parts;
  const space = 'operator' in asker ? 'project' : `agent/${asker.channel.agent}`;
  const mine = ({ checkpoint }: Read): boolean => 'operator' in asker || checkpoint.about.space === space;

  async function may<T>(
    action: 'memory.read' | 'memory.write',
    args: JsonObject,
    effect: () => Promise<T>,
  ): Promise<T> {
    if ('operator' in asker) return effect();
    const acted = await asker.governor.act(
      asker.channel,
      { action, resource: space, args },
      async () => ({ value: await effect(), outcome: { status: 'ok', facts: {} } }),
      { facts: { own: true }, ...(asker.parent === undefined ? {} : { parent: asker.parent }) },
    );
    if (acted.verdict === 'allow') return acted.value;
    const why = acted.decision.reasons[0] ?? 'No policy permits it.';
    throw new AgovError('DENIED', { what: `${asker.channel.agent} may not use the checkpoints of ${space}.`, why });
  }

  const newest = (): Read | undefined => {
    for (const stored of [...store.list()].reverse()) {
      // An agent's are no basis for the project's, nor the other way round.
      const read = store.about(stored)?.space === space ? tryRead(store, stored) : undefined;
      if (read) return read;
    }
    return undefined;
  };
  const around = (notes: PartValue<'notes'>, keep: boolean, before: Read | undefined): Promise<Looked> => {
    const memory = before?.checkpoint.parts.memory;
    const after = memory?.ok ? memory.value.newest : undefined;
    // Programs seldom change, and asking them costs more than all the rest.
    const known = before?.checkpoint.parts.environment;
    const from: Sources = keep || !known?.ok ? sources : { ...sources, environment: async () => known.value };
    return lookAround({ ...{ checkouts, store, closed, root, notes, keep, after }, sources: from, cleaner: cleaner() });
  };

  async function take({ notes, next = [], tag, cause = 'asked' }: NowOptions): Promise<Taken> {
    const before = newest();
    const said = { ...(notes === undefined ? {} : { notes: bounded(notes) }), next: next.map(bounded).slice(0, 100) };
    const { parts: looked } = await around(said, true, before);
    const about: About = {
      ...{ v: 1, id: ids(), seq: (store.list().at(-1)?.seq ?? 0) + 1, at: isoTime(env.now()), space, cause },
      by: 'operator' in asker ? { operator: asker.operator } : { agent: asker.channel.agent, run: asker.channel.run },
      ...(tag === undefined ? {} : { tag: parseTag(tag) }),
      ...(before ? { previous: before.checkpoint.about.id } : {}),
    };
    const checkpoint: Checkpoint = { about, parts: looked };
    store.write(checkpoint);
    const files = looked.files.ok ? looked.files.value.files.length + looked.files.value.more : 0;
    await record({ step: 'taken', id: about.id, sha256: sha256Hex(encodeCheckpoint(checkpoint)), cause, space, files });
    const missing = Object.entries(looked).flatMap(([part, one]) => (one.ok ? [] : [{ part, why: one.why }]));
    return { about, files, missing };
  }

  /** An agent takes as many as it likes, and keeps so many: it is no operator who looks after the disk. */
  async function takeBounded(options: NowOptions): Promise<Taken> {
    if ('operator' in asker) return take(options);
    const own = ownedBy(store, space);
    const tagged = own.filter(({ about }) => about.tag !== undefined).length;
    if (options.tag !== undefined && tagged >= mostTagged) throw tooManyTags(space, mostTagged);
    const taken = await take(options);
    if (own.length - tagged >= mostOfAgent + slack)
      await pruneOf({ store, record }, space, { keep: mostOfAgent, automatic: false });
    return taken;
  }

  async function record(body: JsonObject): Promise<void> {
    const who = 'operator' in asker ? { operator: asker.operator, user: asker.user } : {};
    const run = 'operator' in asker ? {} : { agent: asker.channel.agent, run: asker.channel.run };
    const ledger = await parts.ledger();
    await ledger.append({ kind: 'checkpoint', ...run, body: { ...body, ...who } });
  }

  async function briefNow(budget: number): Promise<Brief> {
    const found = newest();
    const before = found && heldToRecord(found, await parts.recorded());
    const old = before?.checkpoint;
    const notes = old?.parts.notes.ok ? old.parts.notes.value : { next: [] };
    const { parts: now, hunks } = await around(notes, false, before);
    const inFlight = new Set(now.files.ok ? now.files.value.files.map(({ path }) => path) : []);
    const settled = old?.parts.files.ok
      ? old.parts.files.value.files.map(({ path }) => path).filter((path) => now.files.ok && !inFlight.has(path))
      : [];
    const told = { parts: { ...now, memory: joined(now.memory, old?.parts.memory) }, hunks, settled, live: true };
    const about = old ? { about: old.about } : {};
    return briefOf({ ...told, ...about, damage: before?.damage ?? [] }, budget, await parts.tokenizer());
  }

  const get = async (name: string): Promise<Read> =>
    heldToRecord(findCheckpoint(store, name, { space, all: 'operator' in asker }), await parts.recorded());
  const diffText = async ({ checkpoint: { parts: held } }: Pick<Read, 'checkpoint'>): Promise<string> => {
    const diff = held.files.ok ? held.files.value.diff : undefined;
    return diff ? (await store.content(diff.sha256)).toString('utf8') : '';
  };

  return {
    now: (options = {}) => may('memory.write', { op: 'checkpoint' }, () => takeBounded(options)),
    async brief(name, budget) {
      checkBudget(budget);
      return may('memory.read', { op: 'load' }, async () => {
        if (name === undefined || name === 'latest') return briefNow(budget);
        const { checkpoint, damage } = await get(name);
        const lost: { part: 'files'; why: string }[] = [];
        const text = await diffText({ checkpoint }).catch((error: Error) => {
          lost.push({ part: 'files', why: error.message });
          return '';
        });
        const told = { ...checkpoint, damage: [...damage, ...lost], hunks: hunksIn(text), settled: [], live: false };
        return briefOf(told, budget, await parts.tokenizer());
      });
    },
    get: (name) => may('memory.read', { op: 'show', name: name.slice(0, 80) }, () => get(name)),
    look: () => may('memory.read', { op: 'report' }, () => around({ next: [] }, false, newest())),
    diffText,
    list: () =>
      may('memory.read', { op: 'timeline' }, async () => {
        const all = [...store.list()].reverse().map((stored) => ({ stored, read: tryRead(store, stored) }));
        const known = await parts.recorded();
        const read = all.flatMap((one) => (one.read && mine(one.read) ? [heldToRecord(one.read, known)] : []));
        const broken = 'operator' in asker ? all.filter((one) => !one.read).map(({ stored }) => stored.id) : [];
        return { read, broken };
      }),
    difference: (a, b) =>
      may('memory.read', { op: 'diff' }, async () => differences((await get(a)).checkpoint, (await get(b)).checkpoint)),
    prune(keep, { automatic = false, agent } = {}) {
      if (agent !== undefined && !('operator' in asker)) throw new AgovError('DENIED', { what: 'They are another’s.' });
      const of = agent === undefined ? space : `agent/${agent}`;
      return may('memory.write', { op: 'prune', keep }, () => pruneOf({ store, record }, of, { keep, automatic }));
    },
    async restore(name, wanted) {
      if (!('operator' in asker)) throw new AgovError('DENIED', { what: 'Only an operator puts files back.' });
      const { checkpoint, damage } = await get(name);
      const target = wanted(checkpoint.about);
      await record({ step: 'restore', id: checkpoint.about.id, branch: target.branch });
      return { ...(await restoreFiles({ store, checkouts, root }, checkpoint, target)), damage };
    },
  };
}

/** What was logged since the checkpoint, then what it knew. */
function joined(now: Checkpoint['parts']['memory'], old: Checkpoint['parts']['memory'] | undefined): typeof now {
  if (!now.ok || !old?.ok) return now;
  const known = new Set(now.value.entries.map(({ id }) => id));
  const before = old.value.entries.filter(({ id }) => !known.has(id));
  return { ok: true, value: { ...now.value, entries: [...now.value.entries, ...before].slice(0, 50) } };
}
