/** What is looked at before a run, with the parts that this project has. */
import { join } from 'node:path';
import type { SandboxProfile } from '../../adapters/sandbox/port.ts';
import { treeStatus } from '../../adapters/tools/git/index.ts';
import type { Tool } from '../../adapters/tools/port.ts';
import { placeOf } from '../../adapters/tools/terraform/index.ts';
import { gitPaths } from '../../project.ts';
import type { ProbeOptions, ProbeResult } from '../../runtime/health/index.ts';
import type { Preflight, PreflightParts } from '../../runtime/preflight/index.ts';
import type { Outlook } from '../../work/pipeline/index.ts';
import type { Frame } from '../frame.ts';
import type { Rules } from '../governance/rules.ts';
import type { Fleet } from '../state/fleet.ts';
import type { Stores } from '../state/stores.ts';
import type { Acts } from './acts.ts';
import type { Agents } from './agents.ts';

type Opened = Pick<Stores, 'sandbox' | 'ledger' | 'state' | 'heldSecrets'> &
  Pick<Rules, 'governor' | 'roster' | 'accounts'> &
  Pick<Acts, 'explainTool'> &
  Pick<Agents, 'explainAgent'> &
  Pick<Fleet, 'queue'> &
  Pick<Frame, 'env' | 'config' | 'project'>;

/** What of the app is looked at. */
export interface Whole extends Opened {
  readonly tools: ReadonlyMap<string, Tool>;
  workspace(folder: string): Promise<string>;
  probe(options: ProbeOptions): Promise<readonly ProbeResult[]>;
}

/** `closed`: what no look may see, and what none may write. */
export async function openPreflight(
  app: Whole,
  closed: Pick<SandboxProfile, 'hidden' | 'protected'>,
  outlook: Outlook,
  signal: AbortSignal,
): Promise<Preflight> {
  const { lookingExec, preflight } = await import('../../runtime/preflight/index.ts');
  const { env, config, tools, sandbox } = app;
  const { root } = app.project;
  const git = join(root, '.git');
  const looking = (workspace: string, until: AbortSignal) =>
    lookingExec(
      sandbox,
      {
        ...{ workspace, access: 'read-only', readWrite: [], network: { mode: 'none' } },
        hidden: closed.hidden,
        protected: [...closed.protected, ...gitPaths(workspace)],
        readOnly: workspace === root ? [] : [git],
      },
      until,
    );
  const parts: PreflightParts = {
    ...{ env, config, root, tools, ledger: app.ledger, governor: app.governor, explainTool: app.explainTool },
    explainAgent: app.explainAgent,
    locate: sandbox.locate,
    async versionText({ program, version }, until) {
      const args = version?.args ?? [];
      const exec = looking(root, until);
      return (await exec({ argv: [program, ...args], access: 'read', ...(version?.env ? { env: version.env } : {}) }))
        .stdout;
    },
    agents: async () => (await app.roster()).list(),
    secrets: app.heldSecrets,
    workspace: app.workspace,
    treeState: (workspace, until) => treeStatus(looking(workspace, until), git),
    environmentOf: async (workspace, dir) =>
      (await placeOf({ workspace, projectRoot: root, environments: config.terraform.environments }, dir)).environment,
    lockHolder: async (name) => (await (await app.state()).locks.holder(name))?.owner,
    budgets: async (run) => (await app.accounts()).statements({ run }),
    workers: async () => (await app.queue()).fleet.list(),
    probe: async (name) => (await app.probe({ only: [name] }))[0],
  };
  return preflight(parts, outlook, signal);
}
