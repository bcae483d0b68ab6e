/** No form of a secret gets through, however the bytes are cut, and nothing else is touched. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactor } from './redact.ts';

const secret = 'pä/s>w+ör d"\\€&=';

async function throughStream(values: readonly string[], chunks: readonly Uint8Array[]): Promise<Buffer> {
  return buffer(Readable.from(chunks, { objectMode: false }).pipe(redactor(values).stream()));
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const borders = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return borders.slice(1).map((border, i) => bytes.subarray(borders[i], border));
}

describe('forms', () => {
  const bytes = Buffer.from(secret);
  it.each([
    ['plain', secret],
    ['base64', bytes.toString('base64')],
    ['base64 without padding', bytes.toString('base64').replace(/=+$/, '')],
    ['base64url', bytes.toString('base64url')],
    ['hex', bytes.toString('hex')],
    ['upper-case hex', bytes.toString('hex').toUpperCase()],
    ['URL-encoded', encodeURIComponent(secret)],
    ['URL-encoded in lower case', encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())],
    ['form-encoded', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
    ["Go's JSON", 'pä/s\\u003ew+ör d\\"\\\\€\\u0026='],
    ["Python's JSON", 'p\\u00e4/s>w+\\u00f6r d\\"\\\\\\u20ac&='],
    ["PHP's JSON", 'p\\u00e4\\/s>w+\\u00f6r d\\"\\\\\\u20ac&='],
  ])('%s is redacted whole, in text and in a stream', async (_, form) => {
    const given = `<${form}|${form}>`;
    expect(redactor([secret]).text(given)).toBe('<[redacted]|[redacted]>');
    expect(String(await throughStream([secret], [Buffer.from(given)]))).toBe('<[redacted]|[redacted]>');
  });

  it.each([0, 1, 2, 3, 4])('base64 of a longer text with the secret %d bytes in shows no whole byte of it', (shift) => {
    for (const encoding of ['base64', 'base64url'] as const) {
      const before = 'u'.repeat(shift);
      // Padded to whole groups of three bytes, so that each character's bits can be told apart.
      const after = 'x'.repeat(3 + ((33 - shift - bytes.length) % 3));
      const shown = redactor([secret]).text(Buffer.from(before + secret + after).toString(encoding));
      const [left = '', right = 'nothing was redacted'] = shown.split('[redacted]');
      expect(left.length * 6 - before.length * 8).toBeLessThan(8);
      expect(right.length * 6 - after.length * 8).toBeLessThan(8);
    }
  });

  it('redacts a secret of many lines as a terminal shows it', () => {
    expect(redactor(['line one\nline two']).text('a line one\r\nline two b')).toBe('a [redacted] b');
  });
});

describe('places', () => {
  it('prefers the longest at one place, and merges those that overlap', () => {
    expect(redactor(['abcd', 'abcdef']).text('abcdef abcde')).toBe('[redacted] [redacted]e');
    expect(redactor(['abcd', 'cdefgh']).text('abcdefgh')).toBe('[redacted]');
    expect(redactor(['abcd']).text('abcdabcd')).toBe('[redacted][redacted]');
  });

  it('redacts values under four characters as they are and in no other form', () => {
    expect(redactor(['k']).text('ok, key')).toBe('o[redacted], [redacted]ey');
    expect(redactor(['abc']).text(`abc ${btoa('abc')} 616263`)).toBe(`[redacted] ${btoa('abc')} 616263`);
  });

  it('redacts a secret that is as long as its mark', () => {
    expect(redactor(['0123456789']).text('0123456789')).toBe('[redacted]');
  });

  it('ignores empty values and leaves text alone that no bytes can hold', () => {
    expect(redactor(['']).text('text')).toBe('text');
    expect(redactor([]).text('\ud800 half')).toBe('\ud800 half');
    expect(redactor(['half']).text('\ud800half\udc00')).toBe('\ud800[redacted]\udc00');
  });
});

describe('streams', () => {
  it('lets out at once what cannot be a secret, and holds only what may be', async () => {
    const stream = redactor(['secret']).stream();
    stream.write('clean');
    expect(String(stream.read())).toBe('clean');
    stream.write('sec');
    expect(stream.read()).toBeNull();
    stream.write('ond ');
    expect(String(stream.read())).toBe('second ');
    stream.write('se');
    stream.end();
    expect(String(await buffer(stream))).toBe('se');
  });

  it('waits for a longer secret before it settles for a shorter one', async () => {
    const chunks = ['abcd', 'e', 'X abcd', 'ef'].map((text) => Buffer.from(text));
    expect(String(await throughStream(['abcd', 'abcdef'], chunks))).toBe('[redacted]eX [redacted]');
  });

  it('passes bytes that are no text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 })), async (chunks) => {
        expect(await throughStream(['a secret that is not in there'], chunks)).toEqual(Buffer.concat(chunks));
      }),
      { numRuns: 50 },
    );
  });

  it('gives the same whatever the chunks, and never a secret', async () => {
    const values = ['aab', 'aaba', 'abaab', 'bbbbab', secret];
    const part = fc.oneof(fc.constantFrom(...values, 'a', 'b', 'ab', btoa('aaba'), 'é'), fc.string({ maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (parts, places) => {
          const bytes = Buffer.from(parts.join(''));
          const shown = String(await throughStream(values, cut(bytes, places)));
          expect(shown).toBe(redactor(values).text(bytes.toString()));
          for (const value of values) expect(shown).not.toContain(value);
        },
      ),
      { numRuns: 300 },
    );
  });
});
