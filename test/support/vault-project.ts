/** A project beside a fake Vault in which nothing stands yet, and the commands over its layout. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemEnv } from '../../src/kernel/index.ts';
import type { Entry } from '../../src/schemas/index.ts';
import { type Result, type TestProject, testProject } from './cli.ts';
import { type FakeVault, fakeVault } from './vault/index.ts';

export interface VaultProject extends AsyncDisposable {
  readonly project: TestProject;
  readonly vault: FakeVault;
  /** Names the server in agov.yaml; `more` are lines below secrets.vault, `top` is text before it. */
  configure(more?: readonly string[], top?: string): void;
  setup(...more: string[]): Promise<Result>;
  drift(...more: string[]): Promise<Result>;
  /** What drift tells, as `--json` has it. */
  driftOf(...more: string[]): Promise<readonly { readonly path: string; readonly kind: string }[]>;
  /** Bodies of the entries about the authority. */
  onRecord(step?: string): Promise<readonly Entry['body'][]>;
  /** What was sent besides looks and logins, after so many requests. */
  sentSince(count: number): readonly string[];
}

export const [firstLog, secondLog] = ['/var/log/vault/1.log', '/srv/vault/2.log'];
export const audits = ['--audit-file', firstLog, '--audit-file', secondLog];
export const inOrder = 'Everything in Vault is as it should be.\n';

export async function vaultProject(): Promise<VaultProject> {
  const project = await testProject();
  const vault = await fakeVault({ env: systemEnv() });
  vault.mounts.delete('agov');
  vault.casRequired.clear();
  Object.assign(project.environment, { VAULT_TOKEN: vault.root });
  const drift = (...more: string[]) => project.agov('tiers', 'drift', ...more);
  return {
    ...{ project, vault, drift },
    configure(more = [], top = '') {
      const lines = [`address: ${vault.address.origin}`, 'deadline: 3s', ...more].map((line) => `    ${line}\n`);
      appendFileSync(join(project.root, 'agov.yaml'), `${top}secrets:\n  vault:\n${lines.join('')}`);
    },
    setup: (...more) => project.agov('vault', 'setup', ...more),
    driftOf: async (...more) => JSON.parse((await drift('--json', ...more)).stdout).differences,
    async onRecord(step) {
      const bodies = (await project.entries()).filter(({ kind }) => kind === 'authority').map(({ body }) => body);
      return step === undefined ? bodies : bodies.filter((body) => body['step'] === step);
    },
    sentSince(count) {
      const later = vault.requests
        .slice(count)
        .filter(({ method, path }) => method !== 'GET' && !path.includes('self'));
      return later.map(({ method, path }) => `${method} ${path}`);
    },
    async [Symbol.asyncDispose]() {
      await vault[Symbol.asyncDispose]();
      project[Symbol.dispose]();
    },
  };
}
