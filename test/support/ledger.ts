/** Ledgers in folders of their own that go away with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger } from '../../src/governance/ledger/index.ts';
import { type LedgerKey, type LedgerOptions, loadOrCreateKey, openLedger } from '../../src/governance/ledger/index.ts';
import { type Env, idSource, systemEnv } from '../../src/kernel/index.ts';
import type { EntryDraft } from '../../src/schemas/index.ts';

export interface LedgerFolder extends Disposable {
  readonly dir: string;
  readonly path: string;
  readonly key: LedgerKey;
  readonly witness: string;
  open(options?: { readonly env?: Env; readonly witness?: string; readonly busyMs?: number }): Promise<Ledger>;
  openReadOnly(options?: { readonly witness?: string }): Promise<Ledger>;
}

export function ledgerFolder(): LedgerFolder {
  const dir = mkdtempSync(join(tmpdir(), 'agov-ledger-'));
  const path = join(dir, 'project', 'ledger.db');
  const key = loadOrCreateKey(join(dir, 'keys', 'ledger.key'), 'example.com/test');
  return {
    dir,
    path,
    key,
    witness: join(dir, 'keys', 'head'),
    open: ({ env = systemEnv(), ...options } = {}) => {
      const all: LedgerOptions = { path, key, env, ids: idSource(env), ...options };
      return openLedger(all);
    },
    openReadOnly: (options = {}) => openLedger({ path, key, env: systemEnv(), readOnly: true, ...options }),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export function draft(n: number, more: Partial<EntryDraft> = {}): EntryDraft {
  return {
    kind: n % 2 === 0 ? 'intent' : 'outcome',
    run: `run-${n % 3}`,
    agent: `agent-${n % 5}`,
    tier: 'T1',
    body: { n, text: `entry ${n}, “quoted”`, list: [n, null, true] },
    ...more,
  };
}

/** Appends `count` drafts at once, numbered from `from`. */
export async function fill(ledger: Ledger, count: number, from = 0): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => ledger.append(draft(from + i))));
}
