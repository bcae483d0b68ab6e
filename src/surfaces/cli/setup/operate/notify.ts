/**
 * Tells systemd how far we are (sd_notify). Node has no datagram sockets of the file system, so systemd's own program
 * sends; without NOTIFY_SOCKET nothing is sent.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Env, messageOf } from '../../../../kernel/index.ts';

export interface Notifier {
  /** Never throws: a service that cannot say that it runs still runs. */
  send(...lines: readonly string[]): Promise<void>;
  /** Sends WATCHDOG=1 twice in each period that systemd asks for, as long as `alive`. */
  watch(alive: () => boolean): Disposable;
}

interface NotifierOptions {
  readonly env: Env;
  readonly environment: NodeJS.ProcessEnv;
  readonly onFault: (what: string) => void;
}

const longestMs = 5000;

export function openNotifier({ env, environment, onFault }: NotifierOptions): Notifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid, PATH } = environment;
  let faulty = false;
  const send = async (...lines: readonly string[]): Promise<void> => {
    if (!socket || faulty) return;
    try {
      const options = { env: { NOTIFY_SOCKET: socket, PATH }, timeout: longestMs };
      await promisify(execFile)('systemd-notify', [...lines], options);
    } catch (error) {
      faulty = true;
      onFault(`systemd cannot be told: ${messageOf(error).split('\n')[0]}`);
    }
  };
  const mine = pid === undefined || Number(pid) === process.pid;
  const everyMs = mine && /^\d{1,15}$/.test(usec ?? '') ? Number(usec) / 2000 : 0;
  return {
    send,
    watch(alive) {
      let timer: Disposable | undefined;
      const again = (): void => {
        if (alive()) void send('WATCHDOG=1');
        timer = env.timer(again, everyMs);
      };
      if (socket && everyMs > 0) again();
      return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
    },
  };
}
