/** What a session works with: the system, and the versions of the programs that are at hand. */
import { execFile } from 'node:child_process';
import { arch, platform, release } from 'node:os';

const programs = ['git', 'python3', 'terraform', 'make', 'bwrap'] as const;
const deadlineMs = 2000;

/** `path` is where programs are found. */
export async function environmentOf(path: string): Promise<{ system: string; tools: Record<string, string> }> {
  const found = await Promise.all(programs.map(async (name) => [name, await versionOf(name, path)] as const));
  const known = found.flatMap(([name, version]) => (version === undefined ? [] : [[name, version] as const]));
  return {
    system: `${platform()} ${release()} ${arch()}`,
    tools: { node: process.versions.node, ...Object.fromEntries(known) },
  };
}

/** Undefined where it is not there, or does not say. */
function versionOf(program: string, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { env: { PATH: path, LC_ALL: 'C', CHECKPOINT_DISABLE: '1' }, timeout: deadlineMs, cwd: '/' };
    execFile(program, ['--version'], options, (error, stdout) => {
      resolve(error ? undefined : /\d+(?:\.\d+)+/.exec(stdout)?.[0]);
    });
  });
}
