import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../../../test/support/needs.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { describeSandbox, newWorkspace, profileFor, sh } from '../contract.ts';
import type { Sandbox } from '../port.ts';
import { bubblewrapSandbox } from './index.ts';

describeWith('bwrap', 'bubblewrap', () => {
  const direct = bubblewrapSandbox({ env: systemEnv() });
  const folder = mkdtempSync(join(tmpdir(), 'agov-proxy-'));
  const socket = join(folder, 's');
  /** Stands for an egress proxy, which answers whoever connects. */
  const proxy = createServer((client) => client.on('error', () => undefined).end('from the proxy'));
  beforeAll(() => new Promise<void>((resolve) => proxy.listen(socket, resolve)));
  afterAll(() => {
    proxy.close();
    rmSync(folder, { recursive: true });
  });

  /** The same sandbox, every command behind the relay. */
  const relayed: Sandbox = {
    ...direct,
    start: (command) =>
      direct.start({ ...command, profile: { ...command.profile, network: { mode: 'proxy', socket } } }),
  };

  describeSandbox('bubblewrapSandbox', () => direct);
  describeSandbox('bubblewrapSandbox behind the relay', () => relayed);

  it('offers the proxy at the address that the variables name, in proxy mode only', async () => {
    const workspace = newWorkspace();
    const profile = profileFor(workspace);
    const script = `env | grep -i _proxy= | sort; node -e "require('node:net').connect(3128, '127.0.0.1').on('error', (e) => console.log(e.code)).pipe(process.stdout)"`;
    const behind = await sh(relayed, profile, script);
    expect(behind.stdout).toContain('HTTPS_PROXY=http://127.0.0.1:3128\n');
    expect(behind.stdout).toContain('http_proxy=http://127.0.0.1:3128\n');
    expect(behind.stdout.endsWith('from the proxy')).toBe(true);
    expect((await sh(direct, profile, script)).stdout).toBe('ECONNREFUSED\n');
    rmSync(workspace, { recursive: true });
  });
});
