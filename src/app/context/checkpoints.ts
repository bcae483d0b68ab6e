/** Checkpoints of the project, for operators and for agents behind a channel; and what of the other parts goes into one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gitCheckouts } from '../../adapters/checkout/git.ts';
import {
  type CheckpointAsker,
  type Checkpoints,
  checkpointsOf,
  openStore,
  type PartValue,
  type Recorded,
  type Sources,
} from '../../context/checkpoint/index.ts';
import type { Memory } from '../../context/memory/index.ts';
import type { Status } from '../../context/status/index.ts';
import { openTokenizer } from '../../context/tokens/index.ts';
import type { Artifacts } from '../../governance/evidence/index.ts';
import type { Channel } from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { AgovError, messageOf } from '../../kernel/index.ts';
import { closedPaths } from '../../project.ts';
import type { OperatorAct } from '../../work/agents/index.ts';
import { environmentOf } from '../environment.ts';
import { type Frame, once } from '../frame.ts';
import type { Rules } from '../governance/rules.ts';
import { failuresIn, openRuns } from '../governance/under-way.ts';
import type { Stores } from '../state/stores.ts';

export interface CheckpointDoor {
  checkpointsOf(operator: OperatorAct): Promise<Checkpoints>;
  /** As the agent behind this channel may use them: its own, of its own workspace. */
  checkpointsFor(channel: Channel, parent?: string): Promise<Checkpoints>;
  /** Takes one where the configuration asks for it. Why there is none, where it failed: work is not held up by it. */
  autoCheckpoint(cause: 'stage-end' | 'drain', notes: string, by: () => OperatorAct): Promise<string | undefined>;
}

export interface CheckpointDoorParts {
  readonly stores: Stores;
  readonly rules: Rules;
  readonly artifacts: Artifacts;
  memory(): Promise<Memory>;
  status(): Promise<Status>;
}

const mostDirectories = 60;
const mostAgents = 200;
const mostApprovals = 100;

export function openCheckpointDoor(frame: Frame, parts: CheckpointDoorParts): CheckpointDoor {
  const { env, ids, project, config, root, environment } = frame;
  const { stores, rules, artifacts } = parts;
  const path = environment['PATH'] ?? '/usr/bin:/bin';
  const { hiddenPaths } = closedPaths(project, config);
  const closed = [...hiddenPaths, join(root, '.worktrees')];
  const store = once(async () => openStore(join(project.data, 'checkpoints'), env, ids));
  const tokenizer = once(() => openTokenizer(config.tokens.encoding));

  const common = async (folder: string) => ({
    ...{ env, ids, tokenizer, closed, root: folder },
    store: await store(),
    checkouts: gitCheckouts(path),
    ledger: stores.ledger,
    recorded: async () => recordedIn(await recorded()),
  });
  /** Looking makes no ledger. */
  const recorded = async (): Promise<Ledger | undefined> =>
    existsSync(join(project.data, 'ledger.db')) ? stores.record() : undefined;
  const ledgerHead = async (): Promise<PartValue<'ledger'>> => {
    const ledger = await recorded();
    if (!ledger) throw new AgovError('NOT_FOUND', { what: 'Nothing is recorded yet.' });
    const { size, root: hash, note } = ledger.head();
    return { size, root: hash, note };
  };
  const shared = (folder: string) => ({
    status: async () => statusOf(await parts.status(), root, folder),
    ledger: ledgerHead,
    environment: () => environmentOf(path),
  });

  const door: CheckpointDoor = {
    async autoCheckpoint(cause, notes, by) {
      if (!config.checkpoint.auto.includes(cause)) return undefined;
      try {
        const own = await door.checkpointsOf(by());
        await own.now({ cause, notes });
        await own.prune(config.checkpoint.keep, { automatic: true });
        return undefined;
      } catch (error) {
        return `No checkpoint was taken: ${messageOf(error)}`;
      }
    },
    async checkpointsOf({ operator, user }) {
      const sources: Sources = {
        ...shared(root),
        async work() {
          const ledger = await recorded();
          if (!ledger) return { runs: [], approvals: [], failures: [] };
          const approvals = (await rules.approvals()).pending().slice(0, mostApprovals);
          return {
            runs: openRuns(ledger),
            approvals: approvals.map(approvalLine),
            failures: await failuresIn(ledger, artifacts, {}),
          };
        },
        async agents() {
          const all = await (await rules.roster()).list();
          const shown = all.slice(0, mostAgents).map(({ name, tier, status }) => ({ name, tier, status }));
          return { agents: shown, more: all.length - shown.length };
        },
        memory: async (after) => {
          const memory = await parts.memory();
          return remembered(memory, memory.spaces(), after);
        },
      };
      return checkpointsOf({ ...(await common(root)), sources }, { operator, user });
    },
    async checkpointsFor(channel, parent) {
      const { agent, run, workspace } = channel;
      const sources: Sources = {
        ...shared(workspace),
        async work() {
          const approvals = (await rules.approvals()).pending().filter((one) => one.agent === agent);
          const failures = await failuresIn(await stores.record(), artifacts, { agent });
          return { runs: [], approvals: approvals.slice(0, mostApprovals).map(approvalLine), failures };
        },
        async agents() {
          const { tier, status } = await (await rules.roster()).get(agent);
          return { agents: [{ name: agent, tier, status }], more: 0 };
        },
        memory: async (after) => remembered(await parts.memory(), [`agent/${agent}`], after),
      };
      const governor = await rules.governor();
      const asker: CheckpointAsker = {
        ...{ channel: { ...channel, agent, run }, governor },
        ...(parent === undefined ? {} : { parent }),
      };
      return checkpointsOf({ ...(await common(workspace)), sources }, asker);
    },
  };
  return door;
}

const mostRecorded = 5000;

function recordedIn(ledger: Ledger | undefined): Recorded {
  const entries = ledger?.query({ kinds: ['checkpoint'], newestFirst: true, limit: mostRecorded }) ?? [];
  const taken = entries.flatMap(({ body: { step, id, sha256 } }): [string, string][] =>
    step === 'taken' && typeof id === 'string' && typeof sha256 === 'string' ? [[id, sha256]] : [],
  );
  return { taken: new Map(taken), all: entries.length < mostRecorded };
}

function approvalLine(one: {
  readonly id: string;
  readonly agent: string;
  readonly intent: { readonly action: string; readonly resource: string };
  readonly expiresAt: string;
}): PartValue<'work'>['approvals'][number] {
  const { id, agent, intent, expiresAt } = one;
  return { id, agent, what: `${intent.action} ${intent.resource}`, expiresAt };
}

/** Those where something is under way with their tasks; the others by their phase. */
async function statusOf(status: Status, root: string, folder: string): Promise<PartValue<'status'>> {
  const { rows } = await status.dashboard(folder);
  // Of many, those that somebody spoke of last: the work that was cut off is among them.
  const said = new Map(rows.map((row) => [row, Date.parse(row.updated ?? '') || 0]));
  const sorted = [...rows].sort(
    (a, b) => urgencyOf(a.phase) - urgencyOf(b.phase) || (said.get(b) ?? 0) - (said.get(a) ?? 0),
  );
  const directories = sorted.slice(0, mostDirectories).map((row): PartValue<'status'>['directories'][number] => {
    const about = { path: row.path, ...(row.owner ? { owner: row.owner } : {}) };
    try {
      const { status: told } = status.show(join(root, row.path));
      const { phase, tasks, depends, updated } = told;
      return { ...about, phase, ...(updated ? { updated } : {}), tasks: [...tasks], depends: [...depends] };
    } catch (error) {
      const fault = error instanceof Error ? error.message.slice(0, 300) : 'It cannot be read.';
      return { ...about, tasks: [], depends: [], fault };
    }
  });
  return { directories, more: rows.length - directories.length };
}

function urgencyOf(phase: string): number {
  const at = ['in-progress', 'blocked', 'review'].indexOf(phase);
  return at < 0 ? 3 : at;
}

const mostEntries = 50;
const fewEntries = 10;
const summarized = 12;

/** What was logged after the entry named, the newest first; the newest few where none is, or where it has gone. */
function remembered(memory: Memory, spaces: readonly string[], after: string | undefined): PartValue<'memory'> {
  const { entries, more } = memory.list(spaces, { limit: mostEntries });
  const at = entries.findIndex(({ id }) => id === after);
  const since = after === undefined ? entries.slice(0, fewEntries) : at < 0 ? entries : entries.slice(0, at);
  const newest = entries[0]?.id;
  return {
    entries: since.map(({ id, title, kind, space, at: when, bytes, tags }, i) => ({
      ...{ id, title, kind, space, at: when, bytes, tags: [...tags] },
      summary: i < summarized ? memory.summary(spaces, id, 'short').text : '',
    })),
    more: after !== undefined && at < 0 && more,
    ...(newest === undefined ? {} : { newest }),
  };
}
