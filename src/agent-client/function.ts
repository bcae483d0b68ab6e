/**
 * Runs a function agent: `node function.ts FILE`. The file's default export is called with the agent, the task and a
 * signal; what it returns is handed to the governor as the output, and what it throws as the reason of the failure.
 */
import { registerHooks } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Agent, connect } from './client.ts';
import type { Json, NotAllowed } from './types.ts';

interface Given {
  readonly task: string;
  readonly input: Json;
  /** Whether there is a model to ask. */
  readonly model: boolean;
}

interface Thrown {
  readonly output?: Json;
  readonly waits?: NotAllowed;
  readonly stack?: string;
}

type AgentFunction = (agent: Agent, given: Given & { readonly signal: AbortSignal }) => unknown;

// A project that has not installed the package can import the client all the same.
registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'agent-governance/agent') return next(specifier, context);
    return { url: new URL(`./index${extname(import.meta.url)}`, import.meta.url).href, shortCircuit: true };
  },
});

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.once(signal, () => stop.abort(new Error(signal)));

const agent = connect();
try {
  const output = await call(process.argv[2] ?? '');
  await agent.call('finish', { output: output === undefined ? null : (output as Json) }); // what is no JSON is refused there
  process.exit(0);
} catch (error) {
  process.exit(await failed(error));
}

/** What is thrown may carry `output`, a report on the failure, or `waits`, the answer that asks for an approval. */
async function failed(error: unknown): Promise<number> {
  const { output, waits, stack } = (typeof error === 'object' && error !== null ? error : {}) as Thrown;
  if (waits?.verdict === 'ask' && waits.approval) {
    await agent.call('finish', { waits: { approval: waits.approval.id, intent: waits.intent } });
    return 0;
  }
  const message = error instanceof Error ? error.message : String(error);
  // Where it has a report, it knows why it ends, and nobody has to look into its code.
  process.stderr.write(`${output === undefined ? (stack ?? message) : message}\n`);
  await agent.call('finish', { error: message, ...(output === undefined ? {} : { output }) });
  return 1;
}

async function call(file: string): Promise<unknown> {
  const given = (await agent.call('task')) as unknown as Given; // by the operation's schema
  const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
  if (typeof module.default !== 'function') throw new Error(`${file} exports no function by default.`);
  return (module.default as AgentFunction)(agent, { ...given, signal: stop.signal });
}
