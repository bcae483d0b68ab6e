/**
 * How a batch comes under a signed head. With the key in this process it is signed inside the transaction. With the key
 * elsewhere nothing may be held while somebody is asked: the batch is written and rolled back to learn the head's text,
 * the signature is fetched, and the same batch is written again, and committed only if its head has that very text.
 */
import { AgovError, type Env, isAgovError } from '../../../kernel/index.ts';
import type { LedgerKey, RemoteKey, SigningKey } from '../key/index.ts';
import { ledgerFault } from '../store/index.ts';
import type { Answers, Append, Committer } from './commit.ts';
import { patiently } from './patiently.ts';
import { openTurn } from './turn.ts';

export interface Signing extends Disposable {
  commit(batch: readonly Append[]): Promise<Answers>;
  /** See the queue's option. */
  readonly failTogether: boolean;
}

export interface SigningOptions<Key extends SigningKey = SigningKey> {
  readonly path: string;
  readonly committer: Committer;
  readonly key: Key;
  readonly env: Env;
  /** How long to wait for other processes' transactions, in milliseconds. */
  readonly busyMs: number;
}

export function isRemote(key: SigningKey): key is RemoteKey {
  return 'signElsewhere' in key;
}

export function openSigning({ key, ...options }: SigningOptions): Signing {
  return isRemote(key) ? signElsewhere({ ...options, key }) : signHere({ ...options, key });
}

function signHere({ committer, key, env, busyMs }: SigningOptions<LedgerKey>): Signing {
  return {
    commit: (batch) => patiently(env, env.monotonic() + busyMs, () => committer.commit(batch, env.now(), key.sign)),
    failTogether: false,
    [Symbol.dispose]: () => undefined,
  };
}

/** Another process has appended while the signature was fetched. The signature is of a head that never was: it is dropped. */
const moved = Symbol('moved');

function signElsewhere({ path, committer, key, env }: SigningOptions<RemoteKey>): Signing {
  const turn = openTurn(path, env);

  const attempt = async (batch: readonly Append[], deadline: number, signal: AbortSignal): Promise<Answers> => {
    const now = env.now();
    const text = await patiently(env, deadline, () => committer.rehearse(batch, now));
    const note = text === undefined ? undefined : await key.signElsewhere(text, signal);
    const noteOf = (wanted: string): string => {
      if (note === undefined || wanted !== text) throw moved;
      return note;
    };
    return patiently(env, deadline, () => committer.commit(batch, now, noteOf));
  };

  return {
    failTogether: true,
    [Symbol.dispose]: () => turn[Symbol.dispose](),
    async commit(batch) {
      const [began, late] = [env.monotonic(), new AbortController()];
      // With the reason, so that whoever counts the failures of the key's keeper sees one.
      using _timer = env.timer(() => late.abort(tooLate(path, key.deadlineMs)), key.deadlineMs);
      while (!late.signal.aborted) {
        using _turn = await turn.take(began + key.deadlineMs / 2);
        try {
          return await attempt(batch, began + key.deadlineMs, late.signal);
        } catch (error) {
          if (error === moved) continue;
          if (!late.signal.aborted || isAgovError(error)) throw ledgerFault(error, path);
        }
      }
      throw tooLate(path, key.deadlineMs);
    },
  };
}

function tooLate(path: string, deadlineMs: number): AgovError {
  return new AgovError('LEDGER_UNAVAILABLE', {
    what: `The ledger ${path} got no signed head within ${deadlineMs} ms.`,
    why: 'The key is not in this process, and what holds it did not answer in time, or other processes were always first.',
    fix: 'Run `agov doctor` to see whether the key signs; secrets.vault.deadline in agov.yaml sets the time.',
  });
}
