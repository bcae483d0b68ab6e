/** Work on several hosts: the queue on the state server, runs whose units workers do, and this host as a worker. */
import { statSync } from 'node:fs';
import type { ListedWorker, Queue } from '../../adapters/queue/port.ts';
import type { Tool } from '../../adapters/tools/port.ts';
import type { Artifacts } from '../../governance/evidence/index.ts';
import { governorMark, mayLive } from '../../governance/governor/index.ts';
import { parseVerifierKey, type VerifierKey } from '../../governance/ledger/index.ts';
import { AgovError, parseDuration } from '../../kernel/index.ts';
import { configFile } from '../../project.ts';
import type { Remote, RunningWorker, WorkerParts } from '../../work/orchestrator/index.ts';
import { type Frame, once } from '../frame.ts';
import type { Rules } from '../governance/rules.ts';
import type { Acts } from '../work/acts.ts';
import type { Agents } from '../work/agents.ts';
import type { Teams } from '../work/teams.ts';
import type { Stores } from './stores.ts';

export interface Fleet {
  /** @throws CONFIG_INVALID without a state server */
  queue(): Promise<Queue>;
  /** Has the units of a run done by workers. `version` is that of agov. */
  remote(run: string, told: { readonly version: string; onNote(text: string): void }): Promise<Remote>;
  worker(options: WorkerOptions): Promise<RunningWorker>;
  /** Workers, and the format of the jobs that they would get from here. */
  listed(): Promise<{ readonly listed: readonly ListedWorker[]; readonly format: number }>;
}

export interface WorkerOptions extends Pick<WorkerParts, 'onEvent' | 'onOrder'> {
  readonly name: string;
  readonly concurrency: number;
  readonly version: string;
}

export interface FleetParts {
  readonly stores: Stores;
  readonly rules: Rules;
  readonly acts: Acts;
  readonly artifacts: Artifacts;
  readonly tools: ReadonlyMap<string, Tool>;
  /** Absolute paths that no agent reads. */
  readonly hidden: readonly string[];
  workspace(folder: string): Promise<string>;
  runAgent: Agents['runAgent'];
  runTeam: Teams['runTeam'];
}

export function openFleet({ env, ids, config, project, keep }: Frame, parts: FleetParts): Fleet {
  const { stores, rules, acts, artifacts } = parts;
  const leaseMs = parseDuration(config.state.grace);
  const queue = once(async () => {
    const options = stores.serverOptions();
    if (options === undefined) throw noServer();
    const [{ openBullmq }, { jobFormat }] = await Promise.all([
      import('../../adapters/queue/bullmq/index.ts'),
      import('../../work/orchestrator/index.ts'),
    ]);
    return keep(Promise.resolve(openBullmq({ ...options, tag: options.tag ?? 'agov', format: jobFormat })));
  });
  const { host, ...mark } = governorMark();
  // Of two hosts that show one folder under one number the second has another name.
  const store = (): string => {
    const { dev, ino } = statSync(project.data);
    return `${host}:${dev}:${ino}`;
  };
  const common = async () => {
    const orchestrator = await import('../../work/orchestrator/index.ts');
    const key = await stores.sealKey();
    const trusted = [key, ...config.fleet.trusted.map(trustedKey)];
    const shared = {
      ...{ env, leaseMs, artifacts, store: store() },
      queue: await queue(),
      ledger: await stores.ledger(),
      approvals: await rules.approvals(),
      policyVersion: (await rules.governor()).policyVersion,
    };
    return { orchestrator, key, trusted, shared };
  };

  return {
    queue,
    async listed() {
      const { jobFormat } = await import('../../work/orchestrator/index.ts');
      return { listed: await (await queue()).fleet.list(), format: jobFormat };
    },
    async remote(run, { version, onNote }) {
      const { orchestrator, key, trusted, shared } = await common();
      const { createOpener, createSeal, openRemote } = orchestrator;
      const seal = createSeal(key, 'job');
      return openRemote({ ...shared, version, onNote, seal, open: createOpener(trusted, 'result') }, run);
    },
    async worker({ name, concurrency, version, onEvent, onOrder }) {
      const { orchestrator, key, trusted, shared } = await common();
      const { createOpener, createSeal, jobFormat, nameOf, startWorker } = orchestrator;
      const { createPerform } = await import('../../work/pipeline/index.ts');
      const { tools, workspace, hidden } = parts;
      const budgets = await rules.budgets();
      return startWorker({
        ...{ ...shared, ids, onEvent, onOrder, mayLive },
        perform: createPerform({
          exec: await acts.exec(),
          useTool: await acts.useTool(),
          runAgent: await parts.runAgent(),
          runTeam: await parts.runTeam(),
          tools,
          budgets,
        }),
        keep: { artifacts, workspace, hidden },
        worker: { name, host, key: nameOf(key) },
        mostBytes: config.fleet.artifacts.most,
        seal: createSeal(key, 'result'),
        open: createOpener(trusted, 'job'),
        record: {
          ...{ name, host, ...mark, version, concurrency },
          ...{ format: jobFormat, key: nameOf(key), since: env.now() },
        },
      });
    },
  };
}

function trustedKey({ name, key }: { readonly name: string; readonly key: string }): VerifierKey {
  const parsed = parseVerifierKey(key.trim());
  if (parsed.ok) return parsed.value;
  throw new AgovError('CONFIG_INVALID', {
    what: `The key of "${name}" under fleet.trusted in ${configFile} is none.`,
    why: parsed.why,
    fix: 'Write the line that "agov ledger key" prints on that host.',
  });
}

function noServer(): AgovError {
  return new AgovError('CONFIG_INVALID', {
    what: 'There is no state server, over which workers would get their work.',
    why: `state.url is not set in ${configFile}, nor AGOV_STATE_URL.`,
    fix: 'Set it, as docs/guide/workers.md says; or run the pipeline in one process: --engine embedded',
  });
}
