import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createOnce } from './index.ts';

it('leaves what was there first, open to its owner alone, and no draft', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agov-once-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'key');
  createOnce(path, 'a', 'first');
  createOnce(path, 'b', 'second');
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['first', 0o600]);
  expect(readdirSync(folder)).toEqual(['key']);
  expect(() => createOnce(join(folder, 'missing', 'key'), 'a', 'x')).toThrow('ENOENT');
});
