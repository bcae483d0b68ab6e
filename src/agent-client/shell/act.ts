/** `agov act`: an agent's operations for shells. It speaks to AGOV_SOCKET and to nothing else. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Agent, connect } from '../client.ts';
import { AgentError } from '../transport.ts';
import type { Answer, Json, NotAllowed } from '../types.ts';
import { type ActLine, parseLine, readArguments, required } from './line.ts';

export interface ActIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Runs one line, without `agov act`; the exit code. */
export async function runAct(argv: readonly string[], io: ActIo): Promise<number> {
  const json = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');
  try {
    const line = parseLine(argv);
    const { AGOV_SOCKET: socket } = io.environment;
    const agent = connect(socket === undefined ? { socket: '' } : { socket });
    return await (own[line.word] ?? useTool)(agent, line, io);
  } catch (thrown) {
    if (!(thrown instanceof AgentError)) throw thrown;
    const { code, message, fix, retry } = thrown;
    const text = json ? JSON.stringify({ error: { code, what: message, fix, retry } }) : told(message, undefined, fix);
    io.stderr.write(`${text}\n`);
    return exitCodes[code] ?? (retry ? 75 : 70);
  }
}

/** Those of the error table that an agent can meet here. */
const exitCodes: Readonly<Record<string, number>> = {
  ...{ USAGE: 64, INPUT_INVALID: 65, NOT_FOUND: 66, NO_SOCKET: 69, CONFLICT: 73, TOO_MANY_REQUESTS: 75 },
  ...{ DENIED: 77, AGENT_NOT_ACTIVE: 77, COMMAND_NOT_FOUND: 127, COMMAND_NOT_EXECUTABLE: 126 },
};

type Run = (agent: Agent, line: ActLine, io: ActIo) => Promise<number>;

const own: Readonly<Record<string, Run>> = {
  async whoami(agent, line, io) {
    const me = await agent.whoami();
    return print(line, io, me, `${me.agent} (${me.tier}), run ${me.run}, in ${me.workspace}`);
  },
  async tools(agent, line, io) {
    const tools = await agent.tools();
    return print(line, io, tools, tools.map(({ name, summary }) => `${name.padEnd(20)} ${summary}`).join('\n'));
  },
  async exec(agent, line, io) {
    const { cwd, timeoutMs, secrets } = line;
    const asked = { ...(cwd ? { cwd } : {}), ...(timeoutMs ? { timeoutMs } : {}), ...(secrets ? { secrets } : {}) };
    const answer = await agent.exec(required(line.command, 'exec -- COMMAND'), asked);
    if (answer.verdict !== 'allow') return refused(line, io, answer);
    if (line.json) return print(line, io, answer, '', answer.exitCode);
    io.stdout.write(answer.stdout.text);
    io.stderr.write(answer.stderr.text);
    if (answer.stopped) io.stderr.write(`agov: ${answer.stopped}\n`);
    return answer.exitCode;
  },
  async explain(agent, line, io) {
    const [tool] = line.words;
    const what =
      tool === undefined ? { argv: required(line.command, 'explain TOOL, or explain -- COMMAND') } : undefined;
    const told = await agent.explain(what ?? { tool: tool ?? '', args: readArguments(line) });
    return print(line, io, told, [told.verdict, ...told.reasons].join('\n'));
  },
  async wait(agent, line, io) {
    const state = await agent.wait(wordOf(line, 0, 'wait APPROVAL'));
    return print(line, io, state, state.state, state.state === 'granted' ? 0 : 77);
  },
  async lock(agent, line, io) {
    const name = wordOf(line, 0, 'lock NAME -- COMMAND');
    const command = required(line.command, 'lock NAME -- COMMAND');
    const answer = await agent.lock(name, ({ token }) => start(command, { AGOV_LOCK_TOKEN: String(token) }), line);
    if (answer.verdict !== 'allow') return refused(line, io, answer);
    if (answer.held) return answer.value;
    io.stderr.write(
      `${told(`The lock "${name}" is held by ${answer.holder}.`, undefined, 'Wait for it with --wait 1m.')}\n`,
    );
    return 75;
  },
  async locks(agent, line, io) {
    return result(line, io, (await agent.call('locks')) as unknown as Answer<object>, ''); // by the operation's schema
  },
  async board(agent, line, io) {
    const [verb = ''] = line.words;
    const space = line.space === undefined ? {} : { space: line.space };
    const expected = line.expected === undefined ? {} : { expected: line.expected };
    const key = (): string => wordOf(line, 1, `board ${verb} KEY`);
    switch (verb) {
      case 'get': {
        const answer = await agent.board.get(key(), space);
        if (answer.verdict !== 'allow' || answer.item) {
          return result(line, io, answer, answer.verdict === 'allow' ? JSON.stringify(answer.item?.value) : '');
        }
        throw new AgentError({ code: 'NOT_FOUND', what: `There is no item "${key()}" on the board.` });
      }
      case 'set': {
        const value = jsonOrText(wordOf(line, 2, 'board set KEY VALUE'));
        const answer = await agent.board.set(key(), value, { ...space, ...expected });
        if (answer.verdict !== 'allow' || answer.written) return result(line, io, answer, versionOf(answer));
        throw new AgentError({ code: 'CONFLICT', what: `The item "${key()}" has another version.` });
      }
      case 'remove': {
        const version = line.expected ?? (await versionNow(agent, key(), space));
        return result(line, io, await agent.board.remove(key(), version, space), '');
      }
      case 'list': {
        const answer = await agent.board.list(line.words[1], space);
        const items = answer.verdict === 'allow' ? answer.items : [];
        return result(line, io, answer, items.map((item) => `${item.key} ${JSON.stringify(item.value)}`).join('\n'));
      }
      default:
        throw new AgentError({
          code: 'USAGE',
          what: 'The board has get, set, remove and list.',
          fix: 'See "agov act help".',
        });
    }
  },
  async call(agent, line, io) {
    const answer = await agent.call(wordOf(line, 0, 'call OPERATION [JSON]'), jsonOrText(line.words[1] ?? '{}'));
    return print({ ...line, json: true }, io, answer, '');
  },
};

/** Every other word is a wrapped tool. */
async function useTool(agent: Agent, line: ActLine, io: ActIo): Promise<number> {
  const timeout = line.timeoutMs === undefined ? {} : { timeoutMs: line.timeoutMs };
  const answer = await agent.act(line.word, readArguments(line), timeout);
  if (answer.verdict !== 'allow') return refused(line, io, answer);
  if (answer.status === 'ok') return print(line, io, answer, answer.text);
  print(line, io, answer, answer.text);
  if (!line.json) io.stderr.write(`${told(`${line.word} failed.`, answer.reason, undefined)}\n`);
  return 1;
}

function result(line: ActLine, io: ActIo, answer: Answer<object>, text: string): number {
  if (answer.verdict !== 'allow') return refused(line, io, answer);
  return line.word === 'locks' ? print({ ...line, json: true }, io, answer, '') : print(line, io, answer, text);
}

function refused(line: ActLine, io: ActIo, { verdict, approval, reasons, ...rest }: NotAllowed): number {
  const [reason] = reasons;
  if (line.json) io.stderr.write(`${JSON.stringify({ verdict, reasons, ...rest, approval })}\n`);
  else if (approval) {
    const fix = `an operator runs "agov approve ${approval.id}"; wait with "agov act wait ${approval.id}", then ask again.`;
    io.stderr.write(`${told('This needs approval.', reason, fix)}\n`);
  } else io.stderr.write(`${told('You may not do this.', reason, undefined)}\n`);
  return verdict === 'ask' ? 75 : 77;
}

function print({ json }: ActLine, io: ActIo, value: unknown, text: string, code = 0): number {
  const shown = json ? JSON.stringify(value, null, 2) : text;
  if (shown !== '') io.stdout.write(shown.endsWith('\n') ? shown : `${shown}\n`);
  return code;
}

function told(what: string, why: string | undefined, fix: string | undefined): string {
  return [`agov: ${what}`, ...(why ? [`  why: ${why}`] : []), ...(fix ? [`  fix: ${fix}`] : [])].join('\n');
}

function wordOf({ words }: ActLine, index: number, form: string): string {
  const word = words[index];
  if (word !== undefined) return word;
  throw new AgentError({ code: 'USAGE', what: 'Something is missing.', fix: `Write: agov act ${form}` });
}

/** JSON where it is JSON, else a text. */
function jsonOrText(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text; // as a shell's user means it: board set state done
  }
}

async function versionNow(agent: Agent, key: string, space: { readonly space?: string }): Promise<number> {
  const answer = await agent.board.get(key, space);
  return answer.verdict === 'allow' ? (answer.item?.version ?? 1) : 1;
}

function versionOf(answer: Answer<{ readonly version?: number }>): string {
  return answer.verdict === 'allow' ? `version ${answer.version}` : '';
}

/** In this very sandbox: the lock is for what the agent does itself. */
function start([program, ...args]: readonly [string, ...string[]], env: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', ({ message }) => reject(new AgentError({ code: 'COMMAND_NOT_FOUND', what: message })));
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
