/** A project whose agents have identities in a fake Vault that is laid out, two secrets there, and a folder outside of it. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemEnv } from '../../src/kernel/index.ts';
import type { Entry } from '../../src/schemas/index.ts';
import { type Result, type TestProject, testProject } from './cli.ts';
import { type FakeVault, fakeVault, laidOut } from './vault/index.ts';

export interface IdentifiedProject extends AsyncDisposable {
  readonly project: TestProject;
  readonly vault: FakeVault;
  /** For files that are handed over. */
  readonly files: string;
  groupsOf(agent: string): readonly string[];
  /** Of the agent's entity, as its metadata says. */
  standingOf(agent: string): unknown;
  /** Live ones that an agent logged in for. */
  agentTokens(): readonly unknown[];
  /** A command of "builder" with one secret. */
  run(secret: string, ...more: string[]): Promise<Result>;
  invite(file: string, agent?: string, ...more: string[]): Promise<Result>;
  /** Entries about the authority. */
  authority(): Promise<readonly Entry[]>;
}

export async function identifiedProject(): Promise<IdentifiedProject> {
  const project = await testProject();
  const vault = await fakeVault({ env: systemEnv() });
  await laidOut(vault, systemEnv());
  const files = mkdtempSync(join(tmpdir(), 'agov-identities-'));
  const text = `secrets:\n  vault:\n    address: ${vault.address.origin}\n    deadline: 3s\n`;
  appendFileSync(join(project.root, 'agov.yaml'), text);
  project.environment['VAULT_TOKEN'] = vault.root;
  for (const path of ['dev/db', 'staging/db']) {
    vault.kv.answer('POST', `data/${path}`, false, { data: { value: 'hunter2-hunter2' } });
  }
  const entityOf = (agent: string) => vault.identity.entities.get(`agov-${agent}`);
  return {
    ...{ project, vault, files },
    groupsOf: (agent) => vault.identity.groupsOf(entityOf(agent)?.id ?? '').map(({ name }) => name),
    standingOf: (agent) => entityOf(agent)?.metadata['standing'],
    agentTokens: () => [...vault.tokens.live.values()].filter(({ entity }) => entity !== undefined),
    run: (secret, ...more) =>
      project.agov('run', '--agent', 'builder', '--secret', `DB=${secret}`, ...more, '--', 'sh', '-c', 'echo ran'),
    invite: (file, agent = 'builder', ...more) => project.agov('agent', 'invite', agent, '--out', file, ...more),
    authority: async () => (await project.entries()).filter(({ kind }) => kind === 'authority'),
    async [Symbol.asyncDispose]() {
      await vault[Symbol.asyncDispose]();
      project[Symbol.dispose]();
      rmSync(files, { recursive: true });
    },
  };
}
