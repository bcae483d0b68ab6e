import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { systemEnv } from '../../../kernel/index.ts';
import { alive, describeSandbox, newWorkspace, profileFor, says } from '../contract.ts';
import { unconfinedSandbox } from './index.ts';

describeSandbox('unconfinedSandbox', () => unconfinedSandbox({ env: systemEnv() }));

it('says that it does not confine', async () => {
  const sandbox = unconfinedSandbox({ env: systemEnv() });
  expect(sandbox.kind).toBe('none');
  expect((await sandbox.health()).detail).toContain('not confined');
});

it('cuts a stream that a process beyond finding holds open', async () => {
  const workspace = newWorkspace();
  const sandbox = unconfinedSandbox({ env: systemEnv() });
  const mark = `9${Math.round(systemEnv().monotonic() * 1000)}`;
  // Out of the session, without parent and without the mark, before anybody looks.
  const fugitive = `env -i /usr/bin/setsid /bin/sh -c '(/bin/sleep ${mark} &)'; echo ready`;
  const running = await sandbox.start({
    argv: ['sh', '-c', fugitive],
    env: {},
    stdin: 'none',
    profile: profileFor(workspace),
  });
  await says(running, 'ready');
  running.stdout.resume();
  running.stderr.resume();
  expect(await running.exit).toMatchObject({ code: 0 });
  const escaped = alive(mark);
  for (const pid of escaped) process.kill(pid, 'SIGKILL');
  rmSync(workspace, { recursive: true });
  expect(escaped).toHaveLength(1);
});
