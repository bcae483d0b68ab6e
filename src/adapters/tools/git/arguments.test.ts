import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { branchSchema } from './branches.ts';
import { gitTools } from './index.ts';
import { withTrailer } from './message.ts';

const accepts = (name: string, args: unknown): boolean =>
  gitTools()
    .find((tool) => tool.name === name)
    ?.args.safeParse(args).success === true;

test.each([
  ['git.commit', { message: '' }],
  ['git.commit', { message: ' \n' }],
  ['git.commit', { message: 'x\n\nAgov-Agent: bob' }],
  ['git.commit', { message: 'x\n\n  agov-agent : bob' }],
  ['git.commit', { message: 'x\0y' }],
  ['git.commit', { message: 'x'.repeat(8193) }],
  ['git.commit', { message: 'x', paths: [] }],
  ['git.commit', { message: 'x', paths: ['a\0b'] }],
  ['git.commit', { message: 'x', paths: Array.from({ length: 40 }, () => 'p'.repeat(500)) }],
  ['git.commit', { message: 'x', author: 'bob' }],
  ['git.push', { branch: 'main', remote: 'ext::sh' }],
  ['git.push', { branch: 'main', remote: 'https://example.org/x.git' }],
  ['git.push', { branch: 'main', remote: '--upload-pack=x' }],
  ['git.push', { branch: '+main' + ':x' }],
  ['git.push', { branch: 'main', force: true }],
  ['git.merge', { branch: 'main', into: 'HEAD' }],
  ['git.merge', { branch: 'main@{1}', into: 'main' }],
  ['git.merge', { branch: 'refs/heads/main', into: 'x' }],
])('%s refuses %j', (name, args) => {
  expect(accepts(name, args)).toBe(false);
});

test('a message that begins with a dash is a message', () => {
  expect(accepts('git.commit', { message: '--amend' })).toBe(true);
});

test.each([
  '-d',
  '--force',
  'a..b',
  'a b',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[',
  'a\\b',
  '/a',
  'a/',
  'a//b',
  'a.',
  '.a',
])('no branch is called %s', (name) => expect(branchSchema.safeParse(name).success).toBe(false));

test('whatever passes for a branch name does so with git', () => {
  const part = fc.string({ unit: fc.constantFrom(...'ab.-/@{}~^:?*[\\ \u00e4\u007f\t'), minLength: 1, maxLength: 12 });
  const names = fc.sample(part, 4000).filter((name) => branchSchema.safeParse(name).success);
  expect(names.length).toBeGreaterThan(20);
  for (const name of names.slice(0, 60)) {
    expect(spawnSync('git', ['check-ref-format', '--branch', name]).status, JSON.stringify(name)).toBe(0);
  }
});

test('the trailer joins the trailers that are there', () => {
  expect(withTrailer('Fix', 'ada')).toBe('Fix\n\nAgov-Agent: ada\n');
  expect(withTrailer('fix: this', 'ada')).toBe('fix: this\n\nAgov-Agent: ada\n');
  expect(withTrailer('Fix\n\nRefs: 12', 'ada')).toBe('Fix\n\nRefs: 12\nAgov-Agent: ada\n');
});
