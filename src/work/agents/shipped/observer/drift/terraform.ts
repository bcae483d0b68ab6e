/**
 * Drift of infrastructure from what is written down: a state against its configuration, and what a plan says. Of states
 * and plans only addresses and actions are read; their values are often secrets.
 */
import { dirname, join } from 'node:path';
import { readText } from '../../frame/files.ts';
import { readConfiguration, rootFolders } from '../../frame/terraform/configuration.ts';

export interface StateDrift {
  readonly folder: string;
  /** Undefined where none lies beside the configuration. */
  readonly state: string | undefined;
  readonly resources: number;
  /** In the state, and named by no configuration: nobody looks after them. */
  readonly orphaned: readonly string[];
  /** Named by the configuration, and in no state. */
  readonly missing: readonly string[];
  /** Modules that cannot be read here, so that nothing is said of their resources. */
  readonly unread: readonly string[];
  readonly backend: string | undefined;
  readonly fault?: string;
}

export interface PlanDrift {
  readonly plan: string;
  readonly creates: number;
  readonly changes: number;
  readonly destroys: number;
  /** What has changed outside of Terraform. */
  readonly drifted: readonly string[];
  readonly fault?: string;
}

const mostState = 64 * 1024 * 1024;
const mostListed = 200;

/** Of each folder with a configuration of its own, and each state that lies alone. */
export function stateDrift(files: readonly string[]): readonly StateDrift[] {
  const alone = files.filter((file) => file.endsWith('.tfstate')).map((file) => dirname(file));
  const folders = [...new Set([...rootFolders(files), ...alone])].sort();
  return folders.map((folder) => compare(folder, files));
}

function compare(folder: string, files: readonly string[]): StateDrift {
  const { resources, unread, backend } = readConfiguration(folder, files);
  // It is mostly ignored by git, so that no list of files has it.
  const path = join(folder, 'terraform.tfstate');
  const inList = files.find((file) => file.endsWith('.tfstate') && dirname(file) === folder);
  const state = inList ?? path;
  const text = readText(state, mostState);
  const about = { folder, state: text === undefined ? undefined : state, unread, backend };
  if (text === undefined) return { ...about, resources: 0, orphaned: [], missing: [] };
  const held = addressesIn(text);
  if (!held) return { ...about, resources: 0, orphaned: [], missing: [], fault: 'It is no state that can be read.' };
  const isUnread = (address: string): boolean => unread.some((module) => address.startsWith(`${module}.`));
  return {
    ...about,
    resources: held.size,
    orphaned: listed([...held].filter((address) => !(resources.has(address) || isUnread(address)))),
    missing: listed([...resources].filter((address) => !held.has(address))),
  };
}

/** Resources that are managed, without data sources; undefined for what is no state of version 4. */
function addressesIn(text: string): ReadonlySet<string> | undefined {
  const { version, resources } = asObject(parsed(text));
  if (version !== 4 || !Array.isArray(resources)) return undefined;
  const addresses = resources.map(asObject).flatMap(({ mode, type, name, module, instances }) => {
    if (mode !== 'managed' || typeof type !== 'string' || typeof name !== 'string') return [];
    if (Array.isArray(instances) && instances.length === 0) return [];
    const prefix = typeof module === 'string' ? `${module.replace(/\[[^\]]*\]/g, '')}.` : '';
    return [`${prefix}${type}.${name}`];
  });
  return new Set(addresses);
}

export function planDrift(plan: string): PlanDrift {
  const nothing = { plan, creates: 0, changes: 0, destroys: 0, drifted: [] };
  const text = readText(plan, mostState);
  const { resource_changes: changes, resource_drift: drift, format_version: version } = asObject(parsed(text ?? ''));
  if (typeof version !== 'string') return { ...nothing, fault: 'It is no plan as "terraform show -json" prints it.' };
  const all = (Array.isArray(changes) ? changes : []).map(actionsOf);
  const having = (action: string): number => all.filter(({ actions }) => actions.includes(action)).length;
  const drifted = (Array.isArray(drift) ? drift : []).map(actionsOf).map(({ address }) => address);
  return {
    plan,
    ...{ creates: having('create'), changes: having('update'), destroys: having('delete') },
    drifted: listed(drifted),
  };
}

function actionsOf(value: unknown): { readonly address: string; readonly actions: readonly unknown[] } {
  const { address, change } = asObject(value);
  const { actions } = asObject(change);
  return { address: String(address), actions: Array.isArray(actions) ? actions : [] };
}

function listed(addresses: readonly string[]): readonly string[] {
  return [...addresses].sort().slice(0, mostListed);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told as a fault of the file
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
