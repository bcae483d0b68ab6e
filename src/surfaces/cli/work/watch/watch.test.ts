import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import widthOf from 'fast-string-width';
import picocolors from 'picocolors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../../../test/support/fake-env.ts';
import { governorMark } from '../../../../governance/governor/index.ts';
import { type Ledger, loadOrCreateKey, openLedger } from '../../../../governance/ledger/index.ts';
import { idSource, type JsonObject } from '../../../../kernel/index.ts';
import type { Pipeline } from '../../../../schemas/index.ts';
import { parsePipeline, watchRun } from '../../../../work/pipeline/index.ts';
import { frameOf, type Size } from './frame.ts';
import { clipped, lineOf } from './line.ts';
import { openScreen } from './screen.ts';

const run = 'run-1';
let dir: string;
let env: FakeEnv;
let ledger: Ledger;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'agov-watch-'));
  env = fakeEnv();
  const key = loadOrCreateKey(join(dir, 'key'), 'example.com/test');
  ledger = await openLedger({ path: join(dir, 'ledger.db'), key, env, ids: idSource(env) });
});
afterEach(async () => {
  await ledger[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const source = 'a'.repeat(64);
async function start(): Promise<void> {
  const driver = governorMark();
  const body = { step: 'started', pipeline: 'release', file: 'p.yaml', source, operator: 'ada', user: 'ada', driver };
  await ledger.append({ kind: 'run', run, id: run, body: body as unknown as JsonObject });
}
const ran = (body: JsonObject) => ledger.append({ kind: 'run', run, body });
const stage = (body: JsonObject) => ledger.append({ kind: 'stage', run, agent: 'builder', body });
const begun = (name: string, more: JsonObject = {}) => stage({ step: 'started', stage: name, attempt: 1, ...more });
const ended = (name: string, status: string, more: JsonObject = {}) =>
  stage({ step: 'ended', stage: name, attempt: 1, status, durationMs: 5, ...more });

function pipelineOf(stages: string): Pipeline {
  const text = `apiVersion: agov/v1\nkind: Pipeline\nname: release\nstages:\n${stages}`;
  const parsed = parsePipeline(text, 'p.yaml', { agents: undefined, tools: new Map() });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.pipeline;
}
const three = pipelineOf(`  test: { agent: builder, run: [a] }
  fan: { agent: builder, needs: [test], matrix: { n: [1, 2, 3, 4] }, run: [a] }
  deploy: { agent: builder, needs: [fan], run: [a], compensate: { run: [b] } }
`);
const colors = picocolors.createColors(false);
const picture = (pipeline: Pipeline, size: Size, open: readonly string[] = []): readonly string[] =>
  frameOf({ watch: watchRun(ledger, run), pipeline, open: new Set(open), now: env.now() }, size, colors, false);

describe('a run that is watched', () => {
  it('tells each change once, with what a person asks about it', async () => {
    await start();
    const watch = watchRun(ledger, run);
    expect(watch.look().map(({ status }) => status)).toEqual(['running']);
    expect(watch.look()).toEqual([]);
    await begun('test');
    await ended('test', 'failed', { reason: 'Exit code 1.', retryAt: '2026-01-01T00:00:05.000Z' });
    await begun('test', { attempt: 2 });
    const worker = { name: 'w1', host: 'h', key: 'k' };
    await ended('test', 'ok', { attempt: 2, worker });
    await stage({ step: 'expanded', stage: 'fan', items: [1, 2] });
    await ran({ step: 'ended', status: 'ok' });
    expect(watch.look().map(({ seq: _seq, at: _at, ...change }) => change)).toEqual([
      { unit: 'test', status: 'open', attempt: 1 },
      { unit: 'test', status: 'retrying', attempt: 1, reason: 'Exit code 1.', durationMs: 5 },
      { unit: 'test', status: 'open', attempt: 2 },
      { unit: 'test', status: 'ok', attempt: 2, durationMs: 5, worker: 'w1' },
      { unit: 'fan', status: 'expanded', items: 2 },
      { status: 'ok' },
    ]);
    expect(() => watchRun(ledger, 'run-2')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('knows which approval a stage waits for, until it goes on', async () => {
    await start();
    const { id } = await begun('test');
    const intent = (verdict: string) =>
      ledger.append({
        kind: 'intent',
        run,
        parent: id,
        body: { decision: { verdict }, approval: 'approval-12345678' },
      });
    const watch = watchRun(ledger, run);
    await intent('ask');
    expect(watch.look().at(-1)).toMatchObject({ unit: 'test', status: 'asks', approval: 'approval-12345678' });
    expect([...watch.asked]).toEqual([['test', 'approval-12345678']]);
    expect(picture(three, { columns: 40, rows: 20 }, ['approval-12345678'])).toContain(
      '      agov approve val-12345678',
    );
    await intent('allow');
    watch.look();
    expect([...watch.asked]).toEqual([]);
    await intent('ask');
    await ended('test', 'denied');
    watch.look();
    expect([...watch.asked]).toEqual([]);
  });
});

describe('its picture', () => {
  it('shows stages by level, items as counts, what failed with why, and what is undone', async () => {
    await start();
    await begun('test');
    env.advance(1500);
    await ended('test', 'ok');
    await stage({ step: 'expanded', stage: 'fan', items: [1, 2, 3, 4] });
    await begun('fan', { item: 0 });
    await begun('fan', { item: 1 });
    await ended('fan', 'ok', { item: 0 });
    await ended('fan', 'failed', { item: 1, reason: 'Exit code 7.\u001b[31m' });
    await begun('fan', { item: 2 });
    env.advance(2000);
    const lines = picture(three, { columns: 80, rows: 24 });
    expect(lines.slice(2)).toEqual([
      '  1 ✓ test       1.5 s  builder',
      '  2 ✗ fan        2.0 s ██░░░░░░░░ 1/4 ▸1 ✗1  builder',
      '      [1] Exit code 7.',
      '  3 · deploy',
    ]);
    expect(picture(three, { columns: 40, rows: 24 })[3]).toBe('  2 ✗ fan        2.0 s 1/4 ▸1 ✗1');
    await begun('deploy');
    await ended('deploy', 'ok');
    await begun('deploy', { undo: true });
    expect(picture(three, { columns: 80, rows: 24 }).at(-1)).toMatch(/^ {4}▸ undo deploy/);
  });

  it('folds what is done and what is to come, and keeps what failed in sight', async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `s${i}`);
    const pipeline = pipelineOf(names.map((name) => `  ${name}: { agent: builder, run: [a] }\n`).join(''));
    await start();
    await Promise.all(names.slice(0, 700).map((name) => begun(name)));
    await Promise.all(
      names.slice(0, 600).map((name) => ended(name, name === 's300' ? 'failed' : 'ok', { reason: 'no' })),
    );
    const lines = picture(pipeline, { columns: 40, rows: 20 });
    expect(lines).toHaveLength(19);
    expect(lines[1]).toContain('599/1000');
    expect(lines.slice(2, 5)).toEqual(['    ✓ 599 done  s0 … s599', '    ✗ s300      0.0 ms', '      no']);
    expect(lines.slice(-2)).toEqual(['    … and 88 more under way', '    · 300 to come  s700 … s999']);
  });

  it('never leaves its terminal, whatever the run is at', async () => {
    await start();
    const steps = ['started', 'ok', 'failed', 'skipped'] as const;
    const names = ['test', 'deploy', 'fan'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...steps), fc.string()), { maxLength: 6 }),
        fc.integer({ min: 10, max: 120 }),
        fc.integer({ min: 6, max: 30 }),
        async (happened, columns, rows) => {
          for (const [name, step, reason] of happened) {
            if (step === 'started') await begun(name);
            else if (step === 'skipped') await stage({ step, stage: name, reason });
            else await ended(name, step, { reason });
          }
          const lines = picture(three, { columns, rows });
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) expect(widthOf(stripVTControlCharacters(line))).toBeLessThanOrEqual(columns);
          for (const control of ['\n', '\u0007', '\u001b']) expect(lines.join('')).not.toContain(control);
        },
      ),
      { numRuns: 40 },
    );
  });
});

it.each([
  ['plain text', 6, 'plain…'],
  ['日本語', 5, '日本…'],
  ['fits', 4, 'fits'],
  ['x', 0, ''],
])('cuts "%s" to %i columns', (text, width, cut) => {
  expect(clipped(text, width)).toBe(cut);
});

it('cuts no colour in two', () => {
  const { red, green } = picocolors.createColors(true);
  const line = lineOf(
    [
      { text: 'abc', color: red },
      { text: 'defgh', color: green },
    ],
    6,
  );
  expect(line).toBe(red('abc') + green('de…'));
});

it('draws over what it drew, wrapped lines included, and gives the cursor back', () => {
  const written: string[] = [];
  const stdout = { columns: 10, write: (text: string) => written.push(text) > 0 };
  const screen = openScreen({ stdout: stdout as never }); // no more of a stream is used
  screen.draw(['one', 'two']);
  screen.draw(['0123456789']);
  stdout.columns = 5;
  screen.draw([]);
  screen[Symbol.dispose]();
  screen[Symbol.dispose]();
  const up = written.map((text) => /\[(\d+)A/.exec(text)?.[1]);
  expect(up).toEqual([undefined, undefined, '2', '2', undefined]);
  expect(written.filter((text) => text.includes('?25h'))).toHaveLength(1);
});
