/**
 * What the server, the network or TLS says, in the port's two codes, each with its remedy. Answers to AUTH are told by
 * their first word alone, and no reply error is kept as a cause: some servers repeat the arguments in it.
 */
import { AgovError, messageOf, systemCode } from '../../../../kernel/index.ts';
import type { Address } from './address.ts';
import { networkRemedies, replyRemedies, tlsRemedies, trustFix } from './remedies.ts';

const rebuildFix =
  'Run "agov state rebuild": it clears what is damaged and rebuilds it from the ledger. A lock is cleared by DEL alone.';

/** What was asked, for messages about permissions. */
export interface Asked {
  readonly name: string;
  readonly commands: readonly string[];
  readonly keys: readonly string[];
}

export interface Faults {
  corrupt(why: string): AgovError;
  closed(): AgovError;
  /** A call that came to no end. */
  late(ms: number): AgovError;
  /** A connection that nobody answered on for as long as a call lasts. */
  silent(): AgovError;
  notRedis(): AgovError;
  /** A connection that was not made, or was lost; `details.lost` where somebody had answered. */
  connection(error: unknown): AgovError;
  /** An error that the server replied to AUTH. */
  login(error: unknown): AgovError;
  /** An error that the server replied to anything else; `details.reply` is its first word. */
  reply(error: unknown, asked: Asked): AgovError;
}

export function faultsOf({ label, tls }: Address): Faults {
  const unavailable = (
    what: string,
    fix: string,
    extra: Partial<Pick<ConstructorParameters<typeof AgovError>[1], 'why' | 'cause' | 'details'>> = {},
  ): AgovError => {
    return new AgovError('STATE_UNAVAILABLE', { what: `The state server ${label} ${what}`, fix, ...extra });
  };

  const corrupt = (why: string): AgovError => {
    return new AgovError('STATE_CORRUPT', {
      what: `The state on the server ${label} is damaged.`,
      why,
      fix: rebuildFix,
    });
  };

  const closed = (): AgovError => {
    return unavailable('has been let go: this handle is closed.', 'Open it again.');
  };

  const late = (ms: number): AgovError => {
    return unavailable(`did not answer within ${ms} ms.`, 'Check its load and the network between.', {
      why: 'Whether the call took effect is not known.',
    });
  };

  const notRedis = (): AgovError => {
    return unavailable(
      'does not speak the Redis protocol.',
      'Check the host and port in state.url, and whether the server expects TLS (rediss://).',
    );
  };

  const silent = (): AgovError => {
    const other = tls ? ', and that the server expects TLS on that port (if not, write redis://)' : '';
    return unavailable('does not answer.', `Check the address, the firewall and the load of the server${other}.`);
  };

  const connection = (error: unknown): AgovError => {
    const code = systemCode(error) ?? '';
    const known = networkRemedies[code] ?? tlsRemedies[code];
    if (known) return unavailable(known.what, known.fix, { cause: error });
    if (isProtocolError(error)) return notRedis();
    if (/CERT|SSL|TLS/.test(code)) {
      return unavailable('and agov do not agree on TLS.', trustFix, { why: `${code}.`, cause: error });
    }
    return unavailable('closed the connection.', 'Try again; if it lasts, look into the log of the server.', {
      why: code === '' ? 'Whether a call that was under way took effect is not known.' : `${code}.`,
      details: { lost: true },
    });
  };

  const login = (error: unknown): AgovError => {
    const message = messageOf(error);
    if (/without any password|no password is set/i.test(message)) {
      return unavailable(
        'asks for no password, and one was given.',
        'Check that state.url names the right server; if so, unset AGOV_STATE_PASSWORD.',
      );
    }
    const known = replyRemedies[firstWord(message)];
    return known
      ? unavailable(known.what, known.fix)
      : unavailable('refuses the login.', 'Check that it is a server of the Redis protocol, version 6 or newer.');
  };

  const reply = (error: unknown, asked: Asked): AgovError => {
    const message = messageOf(error);
    const word = firstWord(message);
    const details = { reply: word };
    if (word === 'AGOVCORRUPT') return corrupt(`${clean(message.slice(word.length + 1))}.`);
    if (word === 'WRONGTYPE') return corrupt(`A key holds another type than it must: ${asked.keys.join(' or ')}.`);
    if (word === 'NOPERM' || /^ERR (The user executing the script|ACL failure)/i.test(message)) {
      return permission(message, asked);
    }
    const known = replyRemedies[word];
    if (known) return unavailable(known.what, known.fix, { details });
    if (/max number of clients/i.test(message)) {
      const fix = 'Raise its maxclients, or end clients that are not needed.';
      return unavailable('has no connection left.', fix, { details });
    }
    const fix = 'Check that it is Dragonfly, Valkey or Redis, version 6 or newer.';
    return unavailable(`refuses ${asked.name}.`, fix, { why: clean(message), details });
  };

  const permission = (message: string, { name, commands, keys }: Asked): AgovError => {
    const named = /'([a-z|]+)' command/i.exec(message)?.[1];
    const byKey = /keys/i.test(message);
    const what = byKey
      ? `does not let this user touch a key of ${name}.`
      : `does not let this user run ${named ?? `a command of ${name}`}.`;
    const fix = byKey
      ? `Give the user the keys: ACL SETUSER … ~${keys[0]?.replace(/\}.*$/, '}:*') ?? '…'}`
      : `Give the user the commands: ACL SETUSER … ${(named ? [named] : commands).map((c) => `+${c.toLowerCase()}`).join(' ')}`;
    const why = `It needs ${(byKey ? keys : commands).join(', ')}.`;
    return unavailable(what, fix, { why, details: { reply: 'NOPERM' } });
  };

  return { corrupt, closed, late, silent, notRedis, connection, login, reply };
}

/** Whether a server sent it, rather than the network or the client. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

export function isUnknownScript(error: unknown): boolean {
  return isReply(error) && messageOf(error).startsWith('NOSCRIPT');
}

export function isProtocolError(error: unknown): boolean {
  return /Please report this|protocol error|unknown RESP/i.test(messageOf(error));
}

function firstWord(message: string): string {
  return /^[A-Z]+/.exec(message)?.[0] ?? '';
}

function clean(message: string): string {
  return message.replace(/\p{Cc}+/gu, ' ').slice(0, 200);
}
