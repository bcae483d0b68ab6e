/**
 * Composition root: the only file that picks adapters. Parts open when they are first asked for, so that a command pays
 * for what it uses; whatever was opened is closed with the app.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bubblewrapSandbox } from './adapters/sandbox/bubblewrap/index.ts';
import { unconfinedSandbox } from './adapters/sandbox/none/index.ts';
import type { Sandbox, SandboxProfile } from './adapters/sandbox/port.ts';
import type { Secrets } from './adapters/secrets/port.ts';
import type { DragonflyState } from './adapters/state/dragonfly/index.ts';
import { openEmbeddedState, setStateAside } from './adapters/state/embedded/index.ts';
import type { State } from './adapters/state/port.ts';
import { fsTools } from './adapters/tools/fs/index.ts';
import { gitTools } from './adapters/tools/git/index.ts';
import type { Tool } from './adapters/tools/port.ts';
import { terraformTools } from './adapters/tools/terraform/index.ts';
import { readConfig, readNamed } from './config.ts';
import { type Approvals, ledgerApprovals } from './governance/approvals/index.ts';
import { type Artifacts, fileArtifacts } from './governance/evidence/index.ts';
import {
  type Channel,
  createGovernor,
  type Governor,
  governorMark,
  recordPolicy,
} from './governance/governor/index.ts';
import {
  type Ledger,
  loadKey,
  loadOrCreateKey,
  openLedger,
  publicKeyPem,
  verifierKeyLine,
} from './governance/ledger/index.ts';
import type { PolicyOptions, PolicySet } from './governance/policy/index.ts';
import { compileSandbox, leaseMs, loadTiers, sandboxFor, type Tiers } from './governance/tiers/index.ts';
import { type Env, type IdSource, idSource, parseDuration, Secret, systemEnv } from './kernel/index.ts';
import { closedPaths, findRoot, gitPaths, openProject, type Project } from './project.ts';
import { identifyOperator } from './runtime/bootstrap/index.ts';
import type { ProbeResult } from './runtime/health/index.ts';
import type { KillReport } from './runtime/lifecycle/index.ts';
import type { Config, Tier } from './schemas/index.ts';
import {
  createExec,
  createUseTool,
  type EgressDoor,
  type Exec,
  ledgerRoster,
  type OperatorAct,
  type Roster,
  type UseTool,
  workspaceOf,
} from './work/agents/index.ts';

export interface App extends AsyncDisposable {
  readonly env: Env;
  readonly ids: IdSource;
  readonly project: Project;
  readonly config: Config;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly artifacts: Artifacts;
  readonly sandbox: Sandbox;
  /** For writing; made at the first use. */
  ledger(): Promise<Ledger>;
  /** For reading alone: also a damaged one, and on a read-only disk. @throws NOT_FOUND before anything was recorded */
  record(): Promise<Ledger>;
  /** What the heads are verified with. @throws KEY_INVALID */
  publicKey(): { readonly line: string; readonly pem: string };
  state(): Promise<State>;
  secrets(): Promise<Secrets>;
  tiers(): Promise<Tiers>;
  policy(): Promise<PolicySet>;
  /** What the policy set is made from, for checks that do not stop at a fault. */
  policySources(): Promise<PolicyOptions>;
  approvals(): Promise<Approvals>;
  roster(): Promise<Roster>;
  governor(): Promise<Governor>;
  exec(): Promise<Exec>;
  useTool(): Promise<UseTool>;
  operator(as?: string): OperatorAct;
  /** The real path of a folder that an agent may work in (relative to the project). @throws WORKSPACE_INVALID */
  workspace(folder: string): Promise<string>;
  /** Sets a state file aside, or clears the state server, and makes the state anew from the ledger. */
  rebuildState(): Promise<{ readonly agents: number; readonly aside: string | undefined }>;
  /** Looks at every part that a decision rests on. */
  probe(): Promise<readonly ProbeResult[]>;
  revoke(name: string, by: OperatorAct, reason: string): Promise<KillReport>;
}

/** Opens the listed way out for one intent; the surface that speaks the proxy's protocol supplies it. */
export type EgressOpener = (
  app: App,
  channel: Channel,
  hosts: readonly string[],
  intent: string,
) => Promise<EgressDoor>;

export interface AppOptions {
  /** Where the project is looked for, upwards. */
  readonly from: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly env?: Env;
  readonly egress?: EgressOpener;
}

/** Every wrapped tool; there are no others. */
export function toolbox(): readonly Tool[] {
  return [...fsTools(), ...gitTools(), ...terraformTools()];
}

export function openApp(options: AppOptions): App {
  const { environment, env = systemEnv() } = options;
  const ids = idSource(env);
  const root = findRoot(options.from);
  const config = readConfig(root, environment);
  const project = openProject(root, ids, environment);
  const overrides = { tools: config.tools, hosts: config.hosts };
  const tools = new Map(toolbox().map((tool) => [tool.name, tool]));
  const artifacts = fileArtifacts(join(project.data, 'artifacts'), ids);
  const sandbox =
    config.sandbox === 'none' ? unconfinedSandbox({ env }) : bubblewrapSandbox({ env, extraReadOnly: config.readOnly });
  const world = { ...closedPaths(project, config), locate: sandbox.locate };
  const host = hostMark();
  const opened: AsyncDisposable[] = [];

  const keep = async <T extends AsyncDisposable>(opening: Promise<T>): Promise<T> => {
    const part = await opening;
    opened.push(part);
    return part;
  };

  const keyPath = join(project.keys, 'ledger.key');
  const ledgerFiles = { path: join(project.data, 'ledger.db'), env, witness: join(project.keys, 'head') };
  const ledger = once(async () => {
    // A new key over an old log could not have signed it: only a log that is not there yet gets one.
    const key = existsSync(ledgerFiles.path)
      ? loadKey(keyPath)
      : loadOrCreateKey(keyPath, `agov.local/${project.instance}`);
    return keep(openLedger({ ...ledgerFiles, key, ids }));
  });
  const record = once(() => keep(openLedger({ ...ledgerFiles, key: loadKey(keyPath), readOnly: true })));
  const statePath = join(project.data, 'state.db');
  const stateServer = once(async (): Promise<DragonflyState | undefined> => {
    const { url, caFile, deadline } = config.state;
    if (url === undefined) return undefined;
    const { openDragonflyState } = await import('./adapters/state/dragonfly/index.ts');
    const password = environment['AGOV_STATE_PASSWORD'];
    const opening = openDragonflyState({
      ...{ url, env, tag: `agov:${project.instance}`, deadlineMs: parseDuration(deadline) },
      ...(caFile === undefined ? {} : { tls: { ca: readNamed(caFile) } }),
      ...(password ? { password: new Secret(password) } : {}),
    });
    return keep(opening);
  });
  const state = once(
    async (): Promise<State> => (await stateServer()) ?? keep(openEmbeddedState({ path: statePath, env })),
  );
  const secretsPath = join(project.data, 'secrets.db');
  const secrets = once(async () => {
    const { vault } = config.secrets;
    if (vault) {
      const { configuredVault } = await import('./adapters/secrets/vault/index.ts');
      return keep(Promise.resolve(configuredVault(vault, { environment, projectRoot: root, env, ids })));
    }
    const { openEmbeddedSecrets } = await import('./adapters/secrets/embedded/index.ts');
    return keep(openEmbeddedSecrets({ path: secretsPath, keyPath: join(project.keys, 'secrets.key'), env, ids }));
  });
  const held = async (): Promise<Secrets | undefined> =>
    config.secrets.vault || existsSync(secretsPath) ? secrets() : undefined;
  const tiers = once(() => loadTiers(config.tiers === undefined ? {} : { file: join(root, config.tiers) }));
  const policySources = async () => ({ tiers: await tiers(), projectDir: root, overrides });
  const policy = once(async () => {
    const { loadPolicySet } = await import('./governance/policy/index.ts');
    return loadPolicySet(await policySources());
  });
  const approvals = once(async () => ledgerApprovals(await ledger(), env, parseDuration(config.approvals.ttl)));
  const roster = once(async () => {
    const made = ledgerRoster(await ledger(), (await state()).registry);
    await made.reconcile();
    return made;
  });

  const governor = once(async () => {
    await roster();
    const set = await policy();
    const made = createGovernor({
      ledger: await ledger(),
      registry: (await state()).registry,
      policy: set,
      approvals: await approvals(),
      world,
      limits: config.limits,
    });
    await recordPolicy(await ledger(), set);
    await made.settle();
    await (await approvals()).expire();
    return made;
  });

  const sandboxes = once(async () => compileSandbox(await tiers(), overrides));
  const profiles = once(async () => {
    const compiled = await sandboxes();
    return (channel: Channel, tier: Tier): SandboxProfile => {
      const { access } = sandboxFor(compiled[tier], 'process.exec');
      return {
        workspace: channel.workspace,
        access: access === 'read-write' ? 'read-write' : 'read-only',
        hidden: world.hiddenPaths,
        protected: [...world.protectedPaths, ...gitPaths(channel.workspace)],
        // A worktree's history lies in the main checkout.
        readOnly: channel.workspace === root ? [] : [join(root, '.git')],
        readWrite: [],
        network: { mode: 'none' },
      };
    };
  });

  const egress = once(async () => {
    const compiled = await sandboxes();
    return async (channel: Channel, tier: Tier, intent: string): Promise<EgressDoor | undefined> => {
      const { network, hosts } = sandboxFor(compiled[tier], 'process.exec');
      return network === 'listed' ? options.egress?.(app, channel, hosts, intent) : undefined;
    };
  });

  const exec = once(async () => {
    const declared = await tiers();
    return createExec({
      env,
      governor: await governor(),
      sandbox,
      state: await state(),
      secrets,
      artifacts,
      host,
      keepOutput: config.output.keep,
      profileOf: await profiles(),
      leaseMs: (tier) => leaseMs(declared, tier),
      openEgress: await egress(),
    });
  });

  const useTool = once(async () =>
    createUseTool({
      env,
      governor: await governor(),
      ledger: await ledger(),
      approvals: await approvals(),
      sandbox,
      state: await state(),
      artifacts,
      host,
      openEgress: await egress(),
      projectRoot: root,
      protectedBranches: config.branches.protected,
      environments: config.terraform.environments,
      profileOf: await profiles(),
    }),
  );

  const app: App = {
    ...{ env, ids, project, config, tools, artifacts, sandbox },
    ...{ ledger, record, state, secrets, tiers, policy, policySources, approvals, roster, governor, exec, useTool },
    publicKey() {
      const key = loadKey(keyPath);
      return { line: verifierKeyLine(key), pem: publicKeyPem(key) };
    },
    operator: (as) => identifyOperator(config, as),
    workspace: (folder) =>
      workspaceOf(root, folder, [...world.hiddenPaths, ...world.protectedPaths, join(root, '.git')]),
    async rebuildState() {
      const server = await stateServer();
      await server?.clear();
      const aside = server ? undefined : setStateAside(statePath, env);
      await roster();
      return { agents: (await (await state()).registry.list()).length, aside };
    },
    async probe() {
      const { probeAll } = await import('./runtime/health/index.ts');
      return probeAll({ env, dataDir: project.data, sandbox, ledger, state, policy, secrets: held });
    },
    async revoke(name, by, reason) {
      const { revokeAgent } = await import('./runtime/lifecycle/index.ts');
      const parts = { env, ledger: await ledger(), roster: await roster(), state: await state(), secrets: held, host };
      return revokeAgent(parts, name, by, reason);
    },
    async [Symbol.asyncDispose]() {
      for (const part of opened.splice(0).reverse()) await part[Symbol.asyncDispose]();
    },
  };
  return app;
}

function hostMark(): string {
  const { host, boot } = governorMark();
  return `${host}/${boot}`;
}

/** Calls `make` at the first call and keeps the promise, a rejected one too. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
