/** How votes are counted: whatever is no clear yes is a no, and a tie passes nothing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ChildEnd } from '../children/index.ts';
import type { RolePlan } from '../language/index.ts';
import { countVotes, readVote, type Vote } from './vote.ts';

const votes = (text: string): Vote[] =>
  [...text].map((one, i) => ({
    role: i === 0 ? 'first' : 'rest',
    name: `a-${i}`,
    verdict: ({ y: 'yes', n: 'no', a: 'abstain' } as const)[one] ?? 'none',
    reason: 'so',
  }));
const end = (change: Partial<ChildEnd>): ChildEnd => ({
  status: 'ok',
  end: 'finished',
  exitCode: 0,
  text: '',
  ...change,
});
const read = (change: Partial<ChildEnd>) =>
  readVote({ plan: { role: 'a' } as RolePlan, index: 0, name: 'a-1', end: end(change) }).verdict; // only its role is read

it.each([
  ['yyy', undefined, [], true],
  ['yyn', undefined, [], true],
  ['yn', undefined, [], false],
  ['yn', 1, [], false],
  ['ya', 1, [], false],
  ['y?', 1, [], false],
  ['yyaa', 2, [], false],
  ['yyan', 3, [], false],
  ['nyyyy', undefined, ['first'], false],
  ['ayyyy', undefined, ['first'], false],
  ['?yyyy', undefined, ['first'], false],
  ['yyynn', 3, ['first'], true],
  ['', undefined, [], false],
] as const)('%s with quorum %s and vetoes of %j: %s', (given, quorum, veto, passed) => {
  expect(countVotes(votes(given), { quorum, veto })).toMatchObject({
    status: passed ? 'ok' : 'failed',
    output: { passed },
  });
});

it('never passes what no majority is for', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('y', 'n', 'a', '?'), maxLength: 12 }),
      fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
      (given, quorum) => {
        const { status } = countVotes(votes(given), { quorum, veto: [] });
        const yes = [...given].filter((one) => one === 'y').length;
        if (status === 'ok') expect(yes > given.length / 2 && yes >= (quorum ?? 0)).toBe(true);
      },
    ),
  );
});

it.each([
  [{ output: { verdict: 'yes', reason: 'good' } }, 'yes'],
  [{ text: '{"verdict": "abstain", "reason": ""}' }, 'abstain'],
  [{ text: 'yes' }, 'none'],
  [{ output: { verdict: 'YES', reason: '' } }, 'none'],
  [{ output: { verdict: 'yes' } }, 'none'],
  [{ output: { verdict: 'yes', reason: '', also: 1 } }, 'none'],
  [{ output: ['yes'] }, 'none'],
  [{ output: null }, 'none'],
  [{ status: 'failed', output: { verdict: 'yes', reason: 'dying' } }, 'none'],
] as const)('reads %j as %s', (given, verdict) => {
  expect(read(given)).toBe(verdict);
});
