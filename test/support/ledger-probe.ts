/** Tries a ledger where a test cannot: on a full, limited or read-only disk. Prints what came of it as JSON. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Ledger, loadKey, openLedger } from '../../src/governance/ledger/index.ts';
import { idSource, isAgovError, systemEnv } from '../../src/kernel/index.ts';

const [mode = '', path = '', keyPath = ''] = process.argv.slice(2);
const env = systemEnv();
const key = loadKey(keyPath);
const write = (): Promise<Ledger> => openLedger({ path, key, env, ids: idSource(env) });

const probes: Record<string, () => Promise<object>> = {
  async read() {
    await using ledger = await openLedger({ path, key, env, readOnly: true });
    return { verified: ledger.verify().ok, size: ledger.head().size };
  },
  async append() {
    await using ledger = await write();
    const failure = await appendUntilRefused(ledger);
    return { failure, size: ledger.head().size, verified: ledger.verify().ok };
  },
  /** Fills the disk, fails, makes room, and goes on with the same ledger. */
  async full() {
    await using ledger = await write();
    await ledger.append({ kind: 'run', body: {} });
    const filler = join(dirname(path), 'filler');
    fillDisk(filler);
    const failure = await appendUntilRefused(ledger);
    const size = ledger.head().size;
    const verified = ledger.verify().ok;
    rmSync(filler);
    const { seq } = await ledger.append({ kind: 'run', body: {} });
    return { failure, verified, wentOn: seq === size, verifiedAfter: ledger.verify().ok };
  },
};

async function appendUntilRefused(ledger: Ledger): Promise<string> {
  for (let n = 0; n < 5000; n++) {
    try {
      await ledger.append({ kind: 'run', body: { text: 'x'.repeat(4000) } });
    } catch (error) {
      return isAgovError(error) ? error.code : String(error);
    }
  }
  return 'none';
}

function fillDisk(filler: string): void {
  const file = openSync(filler, 'w');
  const block = Buffer.alloc(4096, 1);
  try {
    for (;;) writeSync(file, block);
  } catch {
    // Full, as was wanted.
  } finally {
    closeSync(file);
  }
}

const probe = probes[mode];
if (!probe) throw new Error(`unknown mode ${mode}`);
const result = await probe().catch((error: unknown) => ({ failure: isAgovError(error) ? error.code : String(error) }));
process.stdout.write(JSON.stringify(result));
