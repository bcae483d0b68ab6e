/** Questions in short form, and projects with policies on a real disk. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Question } from '../../src/governance/policy/index.ts';
import type { JsonObject } from '../../src/kernel/index.ts';
import type { Action, Facts, Tier } from '../../src/schemas/index.ts';

const quiet: Question['session'] = { intents: 0, denials: 0, secretReads: 0, netRequests: 0 };

export interface Asking {
  readonly facts?: Facts;
  readonly args?: JsonObject;
  readonly session?: Partial<Question['session']>;
  readonly approvals?: number;
  readonly requireApprovals?: number;
}

export function ask(tier: Tier, action: Action, resource: string, more: Asking = {}): Question {
  const { facts = {}, args = {}, session = {}, approvals = 0, requireApprovals } = more;
  return {
    agent: { name: 'ann', tier },
    intent: { action, resource, args },
    facts,
    session: { ...quiet, ...session },
    approvals,
    ...(requireApprovals === undefined ? {} : { requireApprovals }),
  };
}

/** A folder with `files` (path to text), gone when disposed. */
export function projectWith(files: Readonly<Record<string, string>>): Disposable & { readonly dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'agov-policy-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}
