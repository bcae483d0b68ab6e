/** Picks the adapters that the configuration names, and opens each when it is first asked for. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bubblewrapSandbox } from '../../adapters/sandbox/bubblewrap/index.ts';
import { unconfinedSandbox } from '../../adapters/sandbox/none/index.ts';
import type { Sandbox } from '../../adapters/sandbox/port.ts';
import type { Secrets } from '../../adapters/secrets/port.ts';
import type { DragonflyState, DragonflyStateOptions } from '../../adapters/state/dragonfly/index.ts';
import { openEmbeddedState, setStateAside } from '../../adapters/state/embedded/index.ts';
import type { State } from '../../adapters/state/port.ts';
import { fsTools } from '../../adapters/tools/fs/index.ts';
import { gitTools } from '../../adapters/tools/git/index.ts';
import type { Tool } from '../../adapters/tools/port.ts';
import { terraformTools } from '../../adapters/tools/terraform/index.ts';
import type { Vault } from '../../adapters/vault-client/index.ts';
import { readNamed } from '../../config.ts';
import { type Ledger, openLedger } from '../../governance/ledger/index.ts';
import { parseDuration, Secret } from '../../kernel/index.ts';
import type { BreakerStatus } from '../../runtime/breakers/index.ts';
import type { StateHealth, VaultHealth } from '../../runtime/health/index.ts';
import type { SealKey } from '../../work/orchestrator/index.ts';
import { type Frame, once } from '../frame.ts';
import { ledgerKeySource, type PublicKey } from '../governance/ledger-key.ts';
import type { Breakers } from './breakers.ts';

export interface Stores {
  readonly sandbox: Sandbox;
  /** For writing; made at the first use. */
  ledger(): Promise<Ledger>;
  /** For reading alone: also a damaged one, and on a read-only disk. @throws NOT_FOUND before anything was recorded */
  record(): Promise<Ledger>;
  /** What the heads are verified with. @throws KEY_INVALID */
  publicKey(): PublicKey;
  /** Pins the ledger's key anew whose pin was lost, by its public line. @throws CONFLICT over one that is there */
  pinKey(line: string): Promise<PublicKey>;
  /** Signs with the ledger's key what is no head of it. */
  sealKey(): Promise<SealKey>;
  state(): Promise<State>;
  /** Undefined where the state is a file. */
  serverOptions(): DragonflyStateOptions | undefined;
  /** Empties the state server, or sets the state file aside and tells its new place. */
  clearState(): Promise<string | undefined>;
  secrets(): Promise<Secrets>;
  /** Undefined where no secret was ever stored. */
  heldSecrets(): Promise<Secrets | undefined>;
  /** Undefined where the project has none. */
  vault(): Promise<Vault | undefined>;
  /** The same stores for a revocation: no breaker holds it back. */
  readonly urgent: Pick<Stores, 'ledger' | 'state' | 'heldSecrets'>;
  /** Asks for the signature of the newest head once more. Undefined where the key is a file. @throws LEDGER_UNAVAILABLE */
  readonly checkSigning: (() => Promise<void>) | undefined;
  /** What the state store and Vault say of themselves; undefined where the project has no Vault. */
  stateHealth(): Promise<StateHealth>;
  vaultHealth(): Promise<VaultHealth | undefined>;
  /** Of the servers that were asked so far. */
  breakers(): readonly BreakerStatus[];
}

/** Every wrapped tool; there are no others. */
export function toolbox(): readonly Tool[] {
  return [...fsTools(), ...gitTools(), ...terraformTools()];
}

export function openStores(frame: Frame, { held, urgent, breakers }: Breakers): Stores {
  const { env, ids, config, project, root, environment, keep } = frame;
  const sandbox =
    config.sandbox === 'none' ? unconfinedSandbox({ env }) : bubblewrapSandbox({ env, extraReadOnly: config.readOnly });

  const statePath = join(project.data, 'state.db');
  const serverOptions = (): DragonflyStateOptions | undefined => {
    const { url, caFile, deadline, grace } = config.state;
    const password = environment['AGOV_STATE_PASSWORD'];
    if (url === undefined) return undefined;
    return {
      ...{ url, env, tag: `agov:${project.instance}`, deadlineMs: parseDuration(deadline) },
      graceMs: parseDuration(grace),
      ...(caFile === undefined ? {} : { tls: { ca: readNamed(caFile) } }),
      ...(password ? { password: new Secret(password) } : {}),
    };
  };
  const stateServer = once(async (): Promise<DragonflyState | undefined> => {
    const options = serverOptions();
    if (options === undefined) return undefined;
    const { openDragonflyState } = await import('../../adapters/state/dragonfly/index.ts');
    return keep(openDragonflyState(options));
  });

  const embeddedState = once(() => keep(openEmbeddedState({ path: statePath, env })));

  const vault = once(async () => {
    if (!config.secrets.vault) return undefined;
    const { configuredVault } = await import('../../adapters/vault-client/index.ts');
    return keep(configuredVault(config.secrets.vault, { environment, projectRoot: root, env }));
  });
  const ledgerFiles = { path: join(project.data, 'ledger.db'), env, witness: join(project.keys, 'head') };
  const key = ledgerKeySource(frame, ledgerFiles, vault);
  const ledgerWith = async ({ signer }: typeof held): Promise<Ledger> =>
    keep(openLedger({ ...ledgerFiles, key: await key.signing(signer), ids }));
  const ledger = once(() => ledgerWith(held));

  const checkSigning = async (): Promise<void> => (await ledger()).trySigning();

  const secretsPath = join(project.data, 'secrets.db');
  const anySecrets = once(async () => {
    const server = await vault();
    if (server && config.secrets.vault) {
      const { openVaultSecrets } = await import('../../adapters/secrets/vault/index.ts');
      const { mount, engines } = config.secrets.vault;
      return keep(openVaultSecrets({ vault: server, mount, engines, env, ids }));
    }
    const { openEmbeddedSecrets } = await import('../../adapters/secrets/embedded/index.ts');
    return keep(openEmbeddedSecrets({ path: secretsPath, keyPath: join(project.keys, 'secrets.key'), env, ids }));
  });

  const secretsWith = ({ secrets }: typeof held) => (config.secrets.vault ? secrets(anySecrets) : anySecrets());
  const stateWith = ({ state }: typeof held) =>
    config.state.url === undefined ? embeddedState() : state(async () => (await stateServer()) ?? embeddedState());
  const hasSecrets = (): boolean => config.secrets.vault !== undefined || existsSync(secretsPath);
  const secrets = once(() => secretsWith(held));

  return {
    ...{ sandbox, ledger, secrets, vault, breakers, serverOptions },
    async sealKey() {
      await ledger(); // makes the key of a new one
      const own = await key.signing(held.signer);
      return { ...own, sign: async (text) => ('sign' in own ? own.sign(text) : own.signElsewhere(text)) };
    },
    publicKey: key.publicKey,
    pinKey: (line) => key.pin(line, held.signer),
    record: once(async () => keep(openLedger({ ...ledgerFiles, key: key.verifying(), readOnly: true }))),
    state: once(() => stateWith(held)),
    async clearState() {
      const server = await stateServer();
      await server?.clear();
      return server ? undefined : setStateAside(statePath, env);
    },
    heldSecrets: async () => (hasSecrets() ? secrets() : undefined),
    checkSigning: config.ledger.transit && checkSigning,
    async stateHealth() {
      const options = serverOptions();
      if (options === undefined) return { engine: `SQLite ${process.versions.sqlite}`, persistence: 'a file' };
      return (await import('../../adapters/state/dragonfly/index.ts')).stateServerHealth(options);
    },
    vaultHealth: async () => (await vault())?.health(),
    urgent: {
      // A file's key is behind no breaker.
      ledger: config.ledger.transit ? once(() => ledgerWith(urgent)) : ledger,
      state: once(() => stateWith(urgent)),
      heldSecrets: async () => (hasSecrets() ? secretsWith(urgent) : undefined),
    },
  };
}
