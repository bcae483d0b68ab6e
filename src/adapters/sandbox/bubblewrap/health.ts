/** Whether the sandbox works here, found out by using it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../../kernel/index.ts';
import type { Sandbox, SandboxHealth } from '../port.ts';

export async function tryOut(start: Sandbox['start'], program: string): Promise<SandboxHealth> {
  let workspace: string | undefined;
  try {
    workspace = realpathSync(mkdtempSync(join(tmpdir(), 'agov-health-')));
    const running = await start({
      argv: ['/bin/sh', '-c', 'exit 0'],
      env: {},
      stdin: 'none',
      profile: {
        workspace,
        access: 'read-only',
        hidden: [],
        protected: [],
        readOnly: [],
        readWrite: [],
        network: { mode: 'none' },
      },
    });
    running.stdout.resume();
    running.stderr.resume();
    const { code } = await running.exit;
    return code === 0
      ? { ok: true, detail: await version(program) }
      : { ok: false, detail: `A trial run ended with the code ${code}.` };
  } catch (error) {
    return { ok: false, detail: messageOf(error) };
  } finally {
    if (workspace !== undefined) rmdirSync(workspace);
  }
}

/** `bubblewrap 0.8.0` */
async function version(program: string): Promise<string> {
  return (await promisify(execFile)(program, ['--version'])).stdout.trim();
}
