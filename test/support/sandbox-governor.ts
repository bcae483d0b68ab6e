/** A governor for the tests to kill, to run as somebody else, or to run where it must fail: runs its arguments. */
import { text } from 'node:stream/consumers';
import { bubblewrapSandbox } from '../../src/adapters/sandbox/bubblewrap/index.ts';
import { unconfinedSandbox } from '../../src/adapters/sandbox/none/index.ts';
import { AgovError, systemEnv } from '../../src/kernel/index.ts';

const [kind, workspace, ...argv] = process.argv.slice(2) as [string, string, string, ...string[]]; // the tests give them
const env = systemEnv();
const sandbox = kind === 'none' ? unconfinedSandbox({ env }) : bubblewrapSandbox({ env });
try {
  const running = await sandbox.start({
    argv: argv as [string, ...string[]],
    env: {},
    stdin: 'none',
    profile: {
      workspace,
      access: 'read-write',
      hidden: [`${workspace}/.agov`],
      protected: [`${workspace}/agov.yaml`],
      readOnly: [],
      readWrite: [],
      network: { mode: 'none' },
    },
  });
  running.stdout.pipe(process.stdout);
  const stderr = text(running.stderr);
  process.exitCode = (await running.exit).code;
  process.stderr.write(await stderr);
} catch (error) {
  process.stderr.write(error instanceof AgovError ? JSON.stringify(error) : String(error));
  process.exitCode = 99;
}
