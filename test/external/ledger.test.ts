/** The ledger's files under the eyes of programs that we did not write. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPinned, publicKeyPem, verifierKeyLine } from '../../src/governance/ledger/index.ts';
import { fill, type LedgerFolder, ledgerFolder } from '../support/ledger.ts';
import { transitFolder } from '../support/transit-ledger.ts';

const size = 600;
const mustRun = process.env['CI'] === 'true';
/** Where distributions put Go libraries: golang-golang-x-mod-dev of Debian and Ubuntu. */
const goEnvironment = { ...process.env, GO111MODULE: 'off', GOFLAGS: '', GOPATH: '/usr/share/gocode' };

let folder: LedgerFolder;
let dir: string;
let proofs: string[];

beforeAll(async () => {
  folder = ledgerFolder();
  dir = mkdtempSync(join(folder.dir, 'log-'));
  await using ledger = await folder.open();
  await fill(ledger, size);
  await ledger.exportTo(dir);
  proofs = [0, 255, 256, 599].map((seq) => {
    const path = join(folder.dir, `${seq}.tlog-proof`);
    writeFileSync(path, ledger.proveInclusion(seq));
    return path;
  });
});
afterAll(() => folder[Symbol.dispose]());

/** Changes one byte of a file while `look` looks. */
function harmed<T>(path: string, at: number, look: () => T): T {
  const before = readFileSync(path);
  const bytes = Buffer.from(before);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  try {
    return look();
  } finally {
    writeFileSync(path, before);
  }
}

describe('the Go team’s sumdb', () => {
  const builds = spawnSync('go', ['list', 'golang.org/x/mod/sumdb/tlog'], { env: goEnvironment }).status === 0;
  const why = builds ? '' : ' (skipped: needs Go and golang.org/x/mod in GOPATH)';

  const buildVerifier = (): string => {
    const program = join(folder.dir, 'tlog-verify');
    const source = join(import.meta.dirname, 'tlog-verify', 'main.go');
    const built = spawnSync('go', ['build', '-o', program, source], { env: goEnvironment, encoding: 'utf8' });
    expect(built.stderr).toBe('');
    return program;
  };

  it.skipIf(!builds && !mustRun)(
    `verifies an exported log and its proofs, and no changed one${why}`,
    { timeout: 120_000 },
    () => {
      const program = buildVerifier();
      const verify = (): { status: number | null; output: string } => {
        const { status, stdout, stderr } = spawnSync(program, [dir, verifierKeyLine(folder.key), ...proofs], {
          encoding: 'utf8',
        });
        return { status, output: stdout + stderr };
      };
      expect(verify()).toEqual({ status: 0, output: expect.stringContaining(`verified ${size} entries`) });
      for (const file of ['checkpoint', 'tile/0/001', 'tile/1/000.p/2', 'tile/entries/001', 'tile/entries/002.p/88']) {
        expect(harmed(join(dir, file), 40, verify).status, file).toBe(1);
      }
      expect(harmed(proofs[1] ?? '', 40, verify).status, 'proof').toBe(1);
    },
  );

  it.skipIf(!builds && !mustRun)(
    `verifies one whose key is in Vault, by the line of the pinned key${why}`,
    { timeout: 120_000 },
    async () => {
      await using transit = await transitFolder();
      const out = mkdtempSync(join(transit.dir, 'log-'));
      const ledger = await transit.open();
      await fill(ledger, 300);
      await ledger.exportTo(out);
      const proof = join(transit.dir, '7.tlog-proof');
      writeFileSync(proof, ledger.proveInclusion(7));
      const verifyWith = (line: string) => spawnSync(buildVerifier(), [out, line, proof], { encoding: 'utf8' });
      expect(verifyWith(verifierKeyLine(loadPinned(transit.pin).verifier)).stdout).toContain('verified 300 entries');
      expect(verifyWith(verifierKeyLine(folder.key)).status).toBe(1);
    },
  );
});

describe('openssl', () => {
  const version = spawnSync('openssl', ['version'], { encoding: 'utf8' });
  // Raw Ed25519 messages came with 3.0.
  const works = version.status === 0 && /^OpenSSL [3-9]/.test(version.stdout);
  const why = works ? '' : ' (skipped: needs OpenSSL 3)';

  it.skipIf(!works && !mustRun)(`verifies the checkpoint's signature, and no changed checkpoint${why}`, () => {
    const note = readFileSync(join(dir, 'checkpoint'), 'utf8');
    const split = note.lastIndexOf('\n\n');
    // "— name base64(4 bytes of key id, 64 of signature)"
    const signature = Buffer.from(note.slice(split).trim().split(' ')[2] ?? '', 'base64').subarray(4);
    const [text, sig, pem] = ['text', 'sig', 'pem'].map((name) => join(folder.dir, name)) as [string, string, string];
    writeFileSync(text, note.slice(0, split + 1));
    writeFileSync(sig, signature);
    writeFileSync(pem, publicKeyPem(folder.key));
    const args = ['pkeyutl', '-verify', '-pubin', '-inkey', pem, '-rawin', '-in', text, '-sigfile', sig];
    const verify = (): number | null => spawnSync('openssl', args).status;
    expect(verify()).toBe(0);
    expect(harmed(text, 20, verify)).toBe(1);
  });
});
