/**
 * A connection that is made when it is needed and made anew when it is lost. Every call ends by its deadline. Between two
 * failed attempts lies a pause that grows and is jittered; calls in it fail at once with the reason of the last attempt.
 */
import { type AgovError, type Env, isAgovError } from '../../../../kernel/index.ts';
import { type Connection, type ConnectOptions, connect } from './connect.ts';
import { type Asked, isReply, isUnknownScript } from './faults.ts';

export interface LinkOptions extends ConnectOptions {
  readonly env: Env;
}

export interface Call extends Asked {
  /** The command with its arguments; the ones after the first are for a server that does not know the script. */
  readonly forms: readonly (readonly [command: string, ...args: (string | number)[]])[];
  readonly deadlineMs: number;
  /** Doing it twice is as good as once, so that a lost connection costs one more attempt and no error. */
  readonly again: boolean;
}

export interface Link extends Disposable {
  /**
   * The server's reply, as `accept` reads it. A reply that `accept` throws on ends the connection: the next one on it
   * might answer another question. @throws AgovError STATE_UNAVAILABLE, STATE_CORRUPT
   */
  send<T>(call: Call, accept: (reply: unknown) => T): Promise<T>;
  /** Lets the connection go; the next call makes another. */
  rest(): void;
}

const mostTries = 3;
const firstPauseMs = 20;
const longestPauseMs = 1000;

export function openLink(options: LinkOptions): Link {
  const { env, faults } = options;
  const closing = new AbortController();
  let live: { readonly made: Promise<Connection>; drop(): void } | undefined;
  let failures = 0;
  let halt: { readonly until: number; readonly fault: unknown } | undefined;

  const connection = () => {
    if (closing.signal.aborted) throw faults.closed();
    if (live) return live;
    if (halt && env.monotonic() < halt.until) throw halt.fault;
    const given = new AbortController();
    const made = connect(options, AbortSignal.any([given.signal, closing.signal]));
    const mine = {
      made,
      drop() {
        if (live === mine) live = undefined;
        given.abort();
        // A failed attempt has closed itself.
        made.then(
          (connected) => connected.close(),
          () => undefined,
        );
      },
    };
    live = mine;
    made.then(
      (connected) => {
        failures = 0;
        halt = undefined;
        void connected.closed.then(mine.drop);
      },
      (fault: unknown) => {
        mine.drop();
        failures += 1;
        if (failures === 1 && wasLost(fault)) return;
        const why = given.signal.aborted ? faults.silent() : fault;
        halt = { until: env.monotonic() + pause(env, failures), fault: why };
      },
    );
    return mine;
  };

  async function attempt(
    call: Call,
    current: { readonly made: Promise<Connection> },
    onAsk: () => void,
  ): Promise<unknown> {
    const connected = await current.made;
    onAsk();
    for (const [i, [command, ...args]] of call.forms.entries()) {
      try {
        return await connected.call(command, args);
      } catch (error) {
        if (!isReply(error)) throw new Lost(faults.connection(connected.lost() ?? error));
        if (!isUnknownScript(error) || i === call.forms.length - 1) throw faults.reply(error, call);
      }
    }
    throw faults.notRedis();
  }

  async function answer(call: Call, over: AbortSignal, onAsk: () => void): Promise<{ reply: unknown; drop(): void }> {
    for (let tries = 1; ; tries++) {
      const current = connection();
      over.addEventListener('abort', () => current.drop(), { once: true });
      try {
        return { reply: await attempt(call, current, onAsk), drop: () => current.drop() };
      } catch (error) {
        const last = tries === mostTries || over.aborted;
        if (error instanceof Lost) {
          current.drop();
          if (!call.again || last) throw error.fault;
        } else if (!wasLost(error) || last) throw error; // lost before it was asked, so that any call may go again
      }
    }
  }

  return {
    async send(call, accept) {
      const over = new AbortController();
      let asked = false;
      const late = Promise.withResolvers<never>();
      using _deadline = env.timer(() => {
        late.reject(asked ? faults.late(call.deadlineMs) : faults.silent());
        over.abort();
      }, call.deadlineMs);
      const answered = answer(call, over.signal, () => {
        asked = true;
      });
      // Whoever loses the race below is not heard any more.
      answered.catch(() => undefined);
      const { reply, drop } = await Promise.race([answered, late.promise]);
      try {
        return accept(reply);
      } catch (error) {
        drop();
        throw error;
      }
    },
    rest() {
      live?.drop();
    },
    [Symbol.dispose]() {
      closing.abort();
      live?.drop();
    },
  };
}

/** Whether a connection broke off that somebody had taken: the next one may do better at once. */
function wasLost(error: unknown): boolean {
  return isAgovError(error) && error.details?.['lost'] === true;
}

/** The connection went while a command was under way. */
class Lost extends Error {
  readonly fault: AgovError;

  constructor(fault: AgovError) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Half of it is chance, so that a fleet does not come back in step. */
function pause(env: Env, failures: number): number {
  const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10));
  return longest * (0.5 + (env.random(1)[0] ?? 0) / 512);
}
