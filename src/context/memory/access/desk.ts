/**
 * The memory for one asker, known from the channel. An agent's every word to it is an intent: of its own space and its
 * teams' the tier allows it, of others' only a rule of the project. An operator acts as one, and erasing is on record.
 */
import type { Spent } from '../../../governance/budgets/index.ts';
import type { BeginOptions, Begun, Channel, Governor } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, type JsonObject } from '../../../kernel/index.ts';
import type { SummaryLength } from '../../summaries/index.ts';
import type { Author, LogOptions } from '../intake/log.ts';
import type { Memory } from '../memory.ts';
import type { FetchOptions, Piece } from '../reading/fetch.ts';
import type { ListPage, ListQuery } from '../reading/list.ts';
import type { Found, SearchQuery } from '../reading/search/index.ts';
import type { MemoryEntry } from '../store/index.ts';
import type { Forgotten } from '../upkeep/forget.ts';
import type { Link } from '../upkeep/links.ts';
import type { MemoryStats } from '../upkeep/stats.ts';
import { parseSpace, parseTag, projectSpace } from './spaces.ts';
import { type Summary, sumUp, type Writer } from './sum-up.ts';

export type Asker =
  | { readonly operator: string; readonly user: string }
  | {
      readonly channel: Channel;
      readonly governor: Pick<Governor, 'act'>;
      /** To which the agent belongs, by the configuration. */
      readonly teams: readonly string[];
      /** The intent above. */
      readonly parent?: string;
    };

export interface DeskParts {
  readonly memory: Memory;
  readonly ledger: () => Promise<Pick<Ledger, 'append'>>;
  readonly onSecret: 'redact' | 'refuse';
  /** Where a model for embeddings is configured. */
  readonly senses?: Senses;
  /** Where a model for summaries is configured. */
  readonly writer?: Writer;
}

/** A model that gives texts their place; `model` is its name in the configuration. */
export interface Senses {
  readonly model: string;
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

/** Where `space` is left out: an agent's own and its teams' for reading, its own for writing; every one for an operator. */
export interface Desk {
  log(source: AsyncIterable<Uint8Array>, options: LogOptions & InSpace): Promise<MemoryEntry>;
  fetch<T>(
    id: string,
    options: FetchOptions & InSpace,
    use: (entry: MemoryEntry, pieces: Iterable<Piece>) => Promise<T>,
  ): Promise<T>;
  /** By the model for summaries where there is one and a signal that ends the wait, and it answers. */
  summary(id: string, length: SummaryLength, within?: InSpace, signal?: AbortSignal): Promise<Summary>;
  list(query: ListQuery & InSpace): Promise<ListPage>;
  search(query: SearchQuery & InSpace): Promise<Found>;
  /** The same with what is near in sense. @throws CONFIG_INVALID where no model is configured, MODEL_UNAVAILABLE */
  searchBySense(query: SearchQuery & InSpace, signal: AbortSignal): Promise<Found>;
  link(source: string, target: string, relation: string): Promise<Link>;
  links(id: string): Promise<readonly Link[]>;
  forget(id: string, reason: string): Promise<Forgotten>;
  stats(within?: InSpace): Promise<MemoryStats>;
}

export interface InSpace {
  readonly space?: string;
}

export function deskOf({ memory, ledger, onSecret, senses, writer }: DeskParts, asker: Asker): Desk {
  const author: Author =
    'operator' in asker ? { operator: asker.operator } : { agent: asker.channel.agent, run: asker.channel.run };
  const home = 'operator' in asker ? projectSpace : `agent/${asker.channel.agent}`;
  const signature = 'operator' in asker ? asker.operator : home;

  const readable = ({ space }: InSpace): readonly string[] => {
    if (space !== undefined) return [parseSpace(space)];
    return 'operator' in asker ? memory.spaces() : [home, ...asker.teams.map((team) => `team/${team}`)];
  };

  /** What is searched for, or summed up, leaves the machine: for an agent that is an intent of its own. */
  async function mayAsk<T>(
    model: string,
    op: 'embed' | 'summarize',
    effect: () => Promise<T>,
    use?: { readonly most: Required<Spent>; used(value: T): Required<Spent> },
  ): Promise<T> {
    if ('operator' in asker) return effect();
    const acted = await asker.governor.act(
      asker.channel,
      { action: 'model.call', resource: model, args: { op } },
      async () => {
        const value = await effect();
        const spent = use === undefined ? {} : { spent: use.used(value) };
        return { value, outcome: { status: 'ok', facts: {}, ...spent } };
      },
      {
        ...(asker.parent === undefined ? {} : { parent: asker.parent }),
        ...(use === undefined ? {} : { reserve: use.most }),
      },
    );
    if (acted.verdict === 'allow') return acted.value;
    throw refusal(asker.channel.agent, `the model ${model}`, acted);
  }

  /** Each space is asked for by itself: a rule may allow one and not the other. */
  async function may<T>(
    action: 'memory.read' | 'memory.write',
    spaces: readonly string[],
    args: JsonObject,
    effect: () => Promise<T>,
  ): Promise<T> {
    const [space, ...others] = spaces;
    if ('operator' in asker || space === undefined) return effect();
    const own = space === home || asker.teams.some((team) => space === `team/${team}`);
    const options: BeginOptions = { facts: { own }, ...(asker.parent === undefined ? {} : { parent: asker.parent }) };
    const acted = await asker.governor.act(
      asker.channel,
      { action, resource: space, args },
      async () => ({ value: await may(action, others, args, effect), outcome: { status: 'ok', facts: {} } }),
      options,
    );
    if (acted.verdict === 'allow') return acted.value;
    throw refusal(asker.channel.agent, `the memory of ${space}`, acted);
  }

  /** Finds an entry where the asker may look, and does what it came for in that entry's space. */
  async function at<T>(
    action: 'memory.read' | 'memory.write',
    id: string,
    within: InSpace,
    args: JsonObject,
    effect: (space: string) => Promise<T>,
  ): Promise<T> {
    const spaces = readable(within);
    // Whether there is such an entry is told only to those who may read there.
    const { space } = await may('memory.read', spaces, { id }, async () => memory.find(spaces, id));
    return action === 'memory.read' ? effect(space) : may(action, [space], args, () => effect(space));
  }

  return {
    async log(source, { space = home, tags = [], ...options }) {
      const target = parseSpace(space);
      const told = { op: 'log', ...(options.title === undefined ? {} : { title: options.title.slice(0, 200) }) };
      return may('memory.write', [target], told, () =>
        memory.log(target, author, source, { onSecret, ...options, tags: tags.map(parseTag) }),
      );
    },
    fetch: async (id, { space, ...options }, use) =>
      at('memory.read', id, space === undefined ? {} : { space }, { op: 'fetch', id }, async (found) =>
        use(memory.find([found], id), memory.fetch([found], id, options)),
      ),
    summary: async (id, length, within = {}, signal) =>
      at('memory.read', id, within, { op: 'summary', id }, (found) =>
        sumUp(memory, found, id, length, signal && writer, (material, by) =>
          mayAsk(by.model, 'summarize', () => by.write(material, signal ?? AbortSignal.abort()), {
            most: by.most(material),
            used: ({ spent }) => spent,
          }),
        ),
      ),
    list: async ({ space, ...query }) => {
      const spaces = readable(space === undefined ? {} : { space });
      return may('memory.read', spaces, { op: 'list' }, async () => memory.list(spaces, query));
    },
    search: async ({ space, ...query }) => {
      const spaces = readable(space === undefined ? {} : { space });
      return may('memory.read', spaces, { op: 'search', query: query.text.slice(0, 200) }, async () =>
        memory.search(spaces, query),
      );
    },
    async searchBySense({ space, ...query }, signal) {
      if (!senses) throw noSenses();
      const spaces = readable(space === undefined ? {} : { space });
      return may('memory.read', spaces, { op: 'search', query: query.text.slice(0, 200) }, () =>
        mayAsk(senses.model, 'embed', async () => {
          const [question] = await senses.embed([query.text.slice(0, 2000)], signal);
          const ranked = question ? await memory.near(spaces, query, senses.model, question) : [];
          return memory.search(spaces, query, ranked);
        }),
      );
    },
    async link(source, target, relation) {
      const spaces = readable({});
      return at('memory.write', source, {}, { op: 'link', id: source, target, relation }, async () =>
        memory.link(spaces, source, target, relation, signature),
      );
    },
    links: async (id) => at('memory.read', id, {}, { op: 'links', id }, async () => memory.links(readable({}), id)),
    async forget(id, reason) {
      if (reason.trim() === '')
        throw new AgovError('USAGE', { what: 'Forgetting needs a reason.', fix: '--reason "…"' });
      return at('memory.write', id, {}, { op: 'forget', id, reason: reason.slice(0, 500) }, async (space) => {
        const entry = memory.find([space], id);
        const record = await ledger();
        const body = { id: entry.id, space, sha256: entry.sha256, loggedAt: entry.at, reason, ...whoOf(asker) };
        const told = { kind: 'memory', ...runOf(asker) } as const;
        const { id: parent } = await record.append({ ...told, body: { step: 'forget', ...body } });
        const done = memory.forget([space], entry.id, signature, reason);
        await record.append({ ...told, parent, body: { step: 'forgotten', id: done.id, erased: done.erased } });
        return done;
      });
    },
    stats: async (within = {}) => {
      const spaces = readable(within);
      return may('memory.read', spaces, { op: 'stats' }, async () => memory.stats(spaces));
    },
  };
}

function refusal(
  agent: string,
  what: string,
  { id, decision, ...refused }: Exclude<Begun, { verdict: 'allow' }>,
): AgovError {
  const why = decision.reasons[0] ?? 'No policy permits it.';
  if (refused.verdict === 'deny')
    return new AgovError('DENIED', { what: `Agent "${agent}" may not use ${what}.`, why, details: { intent: id } });
  const { id: approval, expiresAt } = refused.approval;
  const fix = `An operator runs "agov approve ${approval}"; then try again before ${expiresAt}.`;
  return new AgovError('APPROVAL_REQUIRED', {
    ...{ what: `The use of ${what} needs approval.`, why, fix },
    details: { intent: id, approval },
  });
}

function noSenses(): AgovError {
  return new AgovError('CONFIG_INVALID', {
    what: 'There is no model to search by sense with.',
    fix: 'Set memory.embeddings in agov.yaml to the name of a model under "models", or search without --semantic.',
  });
}

function whoOf(asker: Asker): JsonObject {
  return 'operator' in asker ? { operator: asker.operator, user: asker.user } : {};
}

function runOf(asker: Asker): { readonly agent?: string; readonly run?: string } {
  return 'operator' in asker ? {} : { agent: asker.channel.agent, run: asker.channel.run };
}
