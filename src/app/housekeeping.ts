/** The housekeeper of a project: its chores over the app's parts, and what it says of itself. */
import { existsSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AgovError, isoTime, parseDuration } from '../kernel/index.ts';
import { finishRetirements } from '../runtime/bootstrap/index.ts';
import {
  type ChoreEvent,
  type ChorePace,
  choresOf,
  type ServeStatus,
  startChores,
  unready,
} from '../runtime/housekeeping/index.ts';
import type { Config } from '../schemas/index.ts';
import type { App } from './index.ts';

export interface Housekeeper extends AsyncDisposable {
  status(): ServeStatus;
  /** False when a chore has been at it for longer than anything of ours may take. */
  alive(): boolean;
  /** Resolves when every chore has been tried once. */
  readonly first: Promise<void>;
}

/** How long one round of the memory may take: far from what counts as stuck. */
const tidyMs = 60_000;
/** No deadline of any client, and no export of a large log, comes near. */
const stuckMs = 15 * 60_000;

/**
 * Begins at once. It lives for long: what it holds open is the app's, which must outlive it.
 * @throws CONFIG_INVALID for a folder of the project's to publish into
 */
export function openHousekeeper(app: App, onEvent: (event: ChoreEvent) => void): Housekeeper {
  const { env, config } = app;
  const [since, host] = [isoTime(env.now()), hostname()];
  let health: ServeStatus['health'];
  const look = async (): Promise<undefined> => {
    const at = isoTime(env.now());
    health = { at, probes: await app.probe() };
  };
  const { ledger, state, roster, approvals, heldSecrets: secrets } = app;
  const retryKills = async (): Promise<number> => (await app.retryKills()).length;
  // Without Vault agents have no identity to end.
  const retirements = config.secrets.vault
    ? { finishRetirements: async () => finishRetirements({ ledger: await ledger(), identities: app.identities }) }
    : {};
  const stop = new AbortController();
  const tidyMemory = () => tidy(app, stop.signal);
  const parts = { env, host, ledger, state, roster, approvals, secrets, retryKills, look, tidyMemory, ...retirements };
  refuseInside(app.project.root, config.serve.publish.folder);
  const list = choresOf(parts, paceOf(config));
  const chores = startChores(list, { env, onEvent, signal: stop.signal });

  return {
    first: chores.first,
    alive: () => chores.longestMs() < stuckMs,
    status() {
      const breakers = app.breakers();
      const reasons = unready(health, breakers);
      const about = { pid: process.pid, host, since, ready: reasons.length === 0, reasons, breakers };
      return { ...about, chores: chores.status(), ...(health ? { health } : {}) };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      const over = new AbortController();
      // What is still under way after that is left as a crash would leave it, which everything here survives.
      await Promise.race([chores.done, env.sleep(parseDuration(config.serve.drain), over.signal)]);
      over.abort();
    },
  };
}

/** Where there is no memory none is made. */
async function tidy({ env, project, memory }: App, stop: AbortSignal): Promise<string | undefined> {
  if (!existsSync(join(project.data, 'memory.db'))) return undefined;
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const over = new AbortController();
  using _timer = env.timer(() => over.abort(), tidyMs);
  const signal = AbortSignal.any([stop, over.signal]);
  try {
    const { expired, erased, indexed } = await (await memory()).gc({ signal, pause });
    const done = [
      [expired, 'expired'],
      [erased, 'erased'],
      [indexed, 'parts indexed'],
    ] as const;
    const told = done.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    return told.length === 0 ? undefined : `memory: ${told.join(', ')}`;
  } catch (error) {
    // Told to stop, or much to do: what is left is done by the next one.
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Agents write there: what is published would be theirs to change, and the link that it is written through. */
function refuseInside(root: string, folder: string | undefined): void {
  if (folder === undefined) return;
  const real = realOf(folder);
  if (real !== root && !real.startsWith(`${root}/`)) return;
  throw new AgovError('CONFIG_INVALID', {
    what: `serve.publish.folder in agov.yaml, ${folder}, lies inside the project.`,
    why: 'Agents work there and could change what is published, which is what others verify the record by.',
    fix: 'Name a folder outside of it that no agent can write, such as /srv/agov/log.',
  });
}

/** Also of a folder that is still to be made. */
function realOf(path: string): string {
  const parent = dirname(path);
  if (existsSync(path)) return realpathSync(path);
  return parent === path ? path : join(realOf(parent), basename(path));
}

function paceOf({ serve: { every, healthEvery, publish }, memory }: Config): ChorePace {
  return {
    everyMs: parseDuration(every),
    healthEveryMs: parseDuration(healthEvery),
    memoryEveryMs: parseDuration(memory.gcEvery),
    publish: { folder: publish.folder, everyMs: parseDuration(publish.every) },
  };
}
