/** A T1 executor: mends the finding in its own working folder and writes the test that shows it. */
import { readFileSync, writeFileSync } from 'node:fs';

const service = 'examples/governed-change/service';
const endlessLoop = 'for (;;) {';
const before = readFileSync(`${service}/retry.mjs`, 'utf8');

if (!before.includes(endlessLoop)) {
  process.stderr.write('There is no endless loop to mend.\n');
  process.exit(1);
}

const after = before
  .replace(
    /\/\*\*.*\*\//,
    '/** Calls `attempt` until it succeeds, at most `attempts` times; then the last error is thrown. */',
  )
  .replace('retry(attempt)', 'retry(attempt, attempts = 5)')
  .replace(endlessLoop, 'for (let left = attempts; ; left--) {')
  .replace('catch {', 'catch (error) {')
  .replace('// try again, for ever', 'if (left <= 1) throw error;');

const test = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retry } from './retry.mjs';

test('gives up after five attempts and throws the last error', async () => {
  let calls = 0;
  const attempt = async () => {
    calls += 1;
    throw new Error(\`no \${calls}\`);
  };
  await assert.rejects(retry(attempt), /no 5/);
  assert.equal(calls, 5);
});

test('returns the first success', async () => {
  let calls = 0;
  assert.equal(await retry(async () => (++calls < 3 ? Promise.reject(new Error('not yet')) : calls)), 3);
});
`;

writeFileSync(`${service}/retry.mjs`, after);
writeFileSync(`${service}/retry.test.mjs`, test);
process.stderr.write(`mended ${service}/retry.mjs and wrote its test\n`);
