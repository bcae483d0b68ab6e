/** Runs a program that only looks, for nobody: in a sandbox that can write nothing and reach nobody, before any run. */
import type { Sandbox, SandboxProfile } from '../../adapters/sandbox/port.ts';
import type { ToolExec } from '../../adapters/tools/port.ts';
import { AgovError } from '../../kernel/index.ts';

const maxOutput = 4 * 1024 * 1024;

/** `profile` is what every command gets; aborting kills it. */
export function lookingExec(sandbox: Sandbox, profile: SandboxProfile, signal: AbortSignal): ToolExec {
  return async ({ argv, cwd, env = {}, access, readOnly = [], readWrite = [] }) => {
    if (access !== 'read' || readWrite.length > 0) {
      throw new AgovError('INTERNAL', { what: `A look before a run would write: ${argv[0]}.` });
    }
    signal.throwIfAborted();
    const running = await sandbox.start({
      ...{ argv, env, stdin: 'none' },
      ...(cwd === undefined ? {} : { cwd }),
      profile: {
        ...profile,
        access: 'read-only',
        readOnly: [...profile.readOnly, ...readOnly],
        network: { mode: 'none' },
      },
    });
    const kill = (): void => void running.kill();
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    try {
      let size = 0;
      const gather = async (stream: AsyncIterable<Buffer>): Promise<string> => {
        const chunks: Buffer[] = [];
        for await (const chunk of stream) {
          size += chunk.length;
          if (size > maxOutput) kill();
          else chunks.push(chunk);
        }
        return Buffer.concat(chunks).toString('utf8');
      };
      const [stdout, stderr, { code }] = await Promise.all([
        gather(running.stdout),
        gather(running.stderr),
        running.exit,
      ]);
      if (size > maxOutput)
        throw new AgovError('TOOL_FAILED', { what: `${argv[0]} printed more than ${maxOutput} bytes.` });
      return { code, stdout, stderr };
    } finally {
      signal.removeEventListener('abort', kill);
    }
  };
}
