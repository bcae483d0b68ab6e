/** Opens state on a server of the Redis protocol, which several hosts share. Made for Dragonfly; Valkey and Redis do. */
import type { Env, Secret } from '../../../kernel/index.ts';
import { boundedInt } from '../bounds.ts';
import type { State } from '../port.ts';
import { parseAddress } from './connection/address.ts';
import { faultsOf } from './connection/faults.ts';
import { openLink } from './connection/link.ts';
import { done, script, scriptsOn } from './script.ts';
import { board } from './sections/board.ts';
import { counters } from './sections/counters.ts';
import { events } from './sections/events.ts';
import { locks } from './sections/locks.ts';
import { registry } from './sections/registry.ts';

export interface DragonflyStateOptions {
  /** `redis://[USER@]HOST[:PORT]`, or `rediss://` for TLS; never with a password in it. */
  readonly url: string;
  readonly env: Env;
  /** The hash tag of every key, so that all of one project lie on one node and no two projects meet. Default `agov`. */
  readonly tag?: string;
  /** PEM of the authorities to trust instead of the system's. */
  readonly tls?: { readonly ca: string };
  readonly password?: Secret;
  /** What every call ends within; 2,000 by default. */
  readonly deadlineMs?: number;
  /** How long the server may be away before a follow ends with the reason; 10,000 by default. */
  readonly graceMs?: number;
}

export interface DragonflyState extends State {
  /** Clears all but the locks and their tokens, damaged or not, so that it can be rebuilt. */
  clear(): Promise<void>;
}

/** Writes, so that a replica, a missing permission or a cluster shows when state is opened and not in the middle. */
const probe = script('probe', done, `redis.call('SET', KEYS[1], text(clock()), 'PX', 1000) return 'done'`, 'again');

const clear = script('clear', done, `for _, key in ipairs(KEYS) do redis.call('DEL', key) end return 'done'`, 'again');
const clearedKeys = ['agents', 'stopped', 'runs', 'beats', 'counters', 'board', 'board:keys', 'events'];

export const openingScripts = [probe, clear];

/** @throws AgovError CONFIG_INVALID, STATE_UNAVAILABLE */
export async function openDragonflyState(options: DragonflyStateOptions): Promise<DragonflyState> {
  const { env, tag = 'agov', deadlineMs = 2000, graceMs = 10_000 } = options;
  boundedInt('deadline in milliseconds', deadlineMs, 1);
  const address = parseAddress(options.url, options.password);
  const faults = faultsOf(address);
  const linking = { address, ca: options.tls?.ca, timeoutMs: deadlineMs, faults, env };
  const prefix = `{${tag}}:`;

  const closing = new DisposableStack();
  const calls = closing.use(openLink(linking));
  const waiting = closing.use(openLink(linking));
  const scripts = scriptsOn(calls, faults, deadlineMs);
  const stream = closing.use(events({ env, scripts, faults, prefix, deadlineMs, graceMs, waiting }));
  try {
    await scripts.run(probe, [`${prefix}probe`]);
  } catch (error) {
    closing.dispose();
    throw error;
  }

  return {
    registry: registry(scripts, prefix),
    locks: locks(scripts, prefix),
    counters: counters(scripts, prefix),
    board: board(scripts, prefix),
    events: stream,
    clear: () =>
      scripts.run(
        clear,
        clearedKeys.map((key) => prefix + key),
      ),
    async [Symbol.asyncDispose]() {
      closing.dispose();
    },
  };
}
