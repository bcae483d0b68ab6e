/** What is said with a checkpoint, or asked of one: bounded before anything is done with it. */
import { AgovError } from '../../kernel/index.ts';
import { cleaner } from './look/redact.ts';

const leastBudget = 100;
const mostBudget = 200_000;
const mostText = 16_384;

/** A note, or a next step. @throws INPUT_INVALID */
export function bounded(text: string): string {
  const size = Buffer.byteLength(text);
  if (size <= mostText && text.trim() !== '') return text.toWellFormed();
  throw new AgovError('INPUT_INVALID', {
    what: size > mostText ? `A note of ${size} bytes is too long.` : 'A note or a next step is empty.',
    fix: `Give at most ${mostText} bytes; what is longer goes into the memory: agov memory log`,
  });
}

/** @throws INPUT_INVALID */
export function parseTag(tag: string): string {
  if (cleaner().value(tag) !== tag)
    throw new AgovError('INPUT_INVALID', { what: 'That tag looks like a secret.', fix: 'Choose a word.' });
  if (/^[\p{L}\p{N}][\p{L}\p{N}._:/-]{0,63}$/u.test(tag) && tag !== 'latest') return tag;
  throw new AgovError('INPUT_INVALID', {
    what: `"${tag.slice(0, 80)}" is no tag.`,
    fix: 'Use up to 64 letters, digits and . _ : / -; "latest" is taken.',
  });
}

/** @throws USAGE */
export function checkBudget(budget: number): void {
  if (Number.isInteger(budget) && budget >= leastBudget && budget <= mostBudget) return;
  throw new AgovError('USAGE', {
    what: 'That is not a budget.',
    fix: `Give a whole number of tokens from ${leastBudget} to ${mostBudget}.`,
  });
}

export function tooManyTags(space: string, most: number): AgovError {
  return new AgovError('CONFLICT', {
    what: `${space} has ${most} checkpoints with a tag already.`,
    why: 'Those are never let go of.',
    fix: 'Take it without a tag, or ask an operator to remove some files in .agov/checkpoints.',
  });
}
