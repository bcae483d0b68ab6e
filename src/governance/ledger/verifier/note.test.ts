import { describe, expect, it } from 'vitest';
import { parseKey } from '../key/file-key.ts';
import {
  formatCheckpoint,
  formatTlogProof,
  formatVerifierKey,
  hashLeaf,
  hashNode,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseNote,
  parseTlogProof,
  parseVerifierKey,
  type VerifierKey,
  verifyTlogProof,
} from './index.ts';

// The worked example of golang.org/x/mod/sumdb/note.
const peterLine = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const peterSecret = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const peterSignature =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const note = `${text}\n${peterSignature}`;

// The example of c2sp.org/signed-note. Its public key is not published.
const quasimodo = `Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
`;

// The example of c2sp.org/tlog-checkpoint. Its public key is not published either.
const sofa = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`;

function must<T>(parsed: { ok: true; value: T } | { ok: false; why: string }): T {
  if (!parsed.ok) throw new Error(parsed.why);
  return parsed.value;
}

const peter: VerifierKey = must(parseVerifierKey(peterLine));
const signer = parseKey(peterSecret);
if (!signer) throw new Error('the example key must parse');

describe('verifier keys', () => {
  it('reads and writes the worked example', () => {
    expect(peter).toMatchObject({ name: 'PeterNeumann', id: 'c74f20a3' });
    expect(formatVerifierKey(peter)).toBe(peterLine);
    expect(formatVerifierKey(signer)).toBe(peterLine);
  });

  it('refuses every part of it, and every changed character', () => {
    for (let start = 0; start < peterLine.length; start++) {
      for (let end = start; end <= peterLine.length; end++) {
        if (start === 0 && end === peterLine.length) continue;
        expect(parseVerifierKey(peterLine.slice(start, end)).ok, `${start} to ${end}`).toBe(false);
      }
    }
    for (let at = 0; at < peterLine.length; at++) {
      const other = String.fromCharCode(peterLine.charCodeAt(at) + 1);
      expect(parseVerifierKey(`${peterLine.slice(0, at)}${other}${peterLine.slice(at + 1)}`).ok, `at ${at}`).toBe(
        false,
      );
    }
  });

  it.each([
    'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==', // wrong length, id adjusted
    'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', // unknown algorithm, id adjusted
  ])('refuses %s', (line) => expect(parseVerifierKey(line).ok).toBe(false));
});

describe('signed notes', () => {
  it('signs and opens the worked example byte for byte', () => {
    expect(signer.sign(text)).toBe(note);
    expect(must(openNote(note, [peter]))).toMatchObject({ text, key: { name: 'PeterNeumann' } });
  });

  it('takes the example of the specification apart', () => {
    const parsed = must(parseNote(quasimodo));
    expect(parsed.text.endsWith('\n\ned è subito sera.\n')).toBe(true);
    expect(parsed.signatures).toMatchObject([{ name: 'quasimodo.example/salvatore', id: '367ba04b' }]);
    expect(parsed.signatures[0]?.signature.length).toBe(64);
  });

  it('refuses the note with any byte flipped', () => {
    const bytes = Buffer.from(note);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const opened = openNote(changed.toString('utf8'), [peter]);
      expect(opened.ok, `byte ${at}`).toBe(false);
    }
  });

  it('ignores signatures of other keys, and refuses a false one of a known key', () => {
    const stranger = '— EnochRoot af0cfe78ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot\n';
    expect(openNote(`${text}\n${stranger}${peterSignature}`, [peter]).ok).toBe(true);
    expect(openNote(`${text}\n${stranger}`, [peter])).toMatchObject({
      ok: false,
      why: expect.stringContaining('None'),
    });
    const forged = peterSignature.replace('ZJku', 'ZJkv');
    expect(openNote(`${text}\n${peterSignature}${forged}`, [peter]).ok).toBe(false);
  });

  it.each([
    ['no signature', text],
    ['no blank line', text + peterSignature],
    ['a blank line that is not the last', `${note}\n`],
    ['no last newline', note.slice(0, -1)],
    ['a control character', note.replace('you', '\u0007')],
    ['what is not a signature', `${note}— PeterNeumann\n`],
    ['a hundred and one signatures', `${text}\n${peterSignature.repeat(101)}`],
    ['a key name with a plus', note.replace('— Peter', '— Pe+er')],
    ['half a surrogate pair', note.replace('you', '\ud800')],
  ])('refuses a note with %s', (_, bad) => expect(openNote(bad, [peter]).ok).toBe(false));
});

describe('checkpoints', () => {
  it('reads and writes the example of the specification', () => {
    const body = must(parseNote(sofa)).text;
    const checkpoint = must(parseCheckpoint(body));
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163 });
    expect(formatCheckpoint(checkpoint)).toBe(body);
  });

  const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
  it.each([
    `example.com/x\n007\n${root}\n`,
    `example.com/x\n-1\n${root}\n`,
    `example.com/x\n1.5\n${root}\n`,
    `example.com/x\n99999999999999999999\n${root}\n`,
    `example.com/x\n1\n${root.slice(4)}\n`,
    `example.com/x\n1\n${root.replace('=', '')}\n`,
    `\n1\n${root}\n`,
    `example.com/x\n1\n`,
    `example.com/x\n1\n${root}`,
    `example.com/x\n1\n${root}\n\nmore\n`,
  ])('refuses %j', (bad) => expect(parseCheckpoint(bad).ok).toBe(false));

  it('takes a head only from the key of its own name', () => {
    const checkpoint = { size: 1, root: hashLeaf(Buffer.from('x')) };
    const own = signer.sign(formatCheckpoint({ origin: 'PeterNeumann', ...checkpoint }));
    const others = signer.sign(formatCheckpoint({ origin: 'example.com/other', ...checkpoint }));
    expect(openCheckpoint(own, [peter]).ok).toBe(true);
    expect(openCheckpoint(others, [peter]).ok).toBe(false);
  });
});

describe('tlog-proof', () => {
  const [entry, sibling] = [Buffer.from('entry'), hashLeaf(Buffer.from('sibling'))];
  const root = hashNode(sibling, hashLeaf(entry));
  const checkpoint = signer.sign(formatCheckpoint({ origin: 'PeterNeumann', size: 2, root }));
  const proof = { index: 1, hashes: [sibling], checkpoint };

  it('proves an entry, with and without extra data', () => {
    const plain = formatTlogProof(proof);
    expect(plain.startsWith('c2sp.org/tlog-proof@v1\nindex 1\n')).toBe(true);
    expect(must(verifyTlogProof(plain, entry, [peter]))).toMatchObject({ index: 1, checkpoint: { size: 2 } });
    const extra = formatTlogProof({ ...proof, extra: Buffer.from('more') });
    expect(must(parseTlogProof(extra)).extra).toEqual(Buffer.from('more'));
    expect(verifyTlogProof(extra, entry, [peter]).ok).toBe(true);
  });

  it('proves the only entry of a log without a hash', () => {
    const alone = signer.sign(formatCheckpoint({ origin: 'PeterNeumann', size: 1, root: hashLeaf(entry) }));
    const written = formatTlogProof({ index: 0, hashes: [], checkpoint: alone });
    expect(written.startsWith('c2sp.org/tlog-proof@v1\nindex 0\n\nPeterNeumann\n1\n')).toBe(true);
    expect(verifyTlogProof(written, entry, [peter]).ok).toBe(true);
  });

  it('refuses the proof with any byte flipped, and any other entry', () => {
    const bytes = Buffer.from(formatTlogProof(proof));
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(verifyTlogProof(changed.toString('utf8'), entry, [peter]).ok, `byte ${at}`).toBe(false);
    }
    expect(verifyTlogProof(bytes.toString('utf8'), Buffer.from('other'), [peter]).ok).toBe(false);
  });

  it.each([
    'wrong-header\nindex 0\n\ncheckpoint\n',
    'c2sp.org/tlog-proof@v1\nextra !!notbase64!!\nindex 0\n\ncheckpoint\n',
    'c2sp.org/tlog-proof@v1\n\n\ncheckpoint\n',
    'c2sp.org/tlog-proof@v1\nindex notanumber\n\ncheckpoint\n',
    'c2sp.org/tlog-proof@v1\nindex -5\n\ncheckpoint\n',
    'c2sp.org/tlog-proof@v1\nindex 05\n\ncheckpoint\n',
    'c2sp.org/tlog-proof@v1\nindex 0\n!!notbase64!!\n\ncheckpoint\n',
    `c2sp.org/tlog-proof@v1\nindex 0\n${Buffer.alloc(64).toString('base64')}\n\ncheckpoint\n`,
  ])('refuses %j', (bad) => expect(parseTlogProof(bad).ok).toBe(false));
});
