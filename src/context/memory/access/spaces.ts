/** Spaces: `project`, `agent/NAME`, `team/NAME`. */
import { AgovError } from '../../../kernel/index.ts';
import { nameSchema } from '../../../schemas/index.ts';

export const projectSpace = 'project';

/** @throws INPUT_INVALID */
export function parseSpace(text: string): string {
  const [, name] = /^(?:agent|team)\/(.+)$/.exec(text) ?? [];
  if (text === projectSpace || (name !== undefined && nameSchema.safeParse(name).success)) return text;
  throw new AgovError('INPUT_INVALID', {
    what: `"${text.slice(0, 80)}" is no space of the memory.`,
    fix: 'Write project, agent/NAME or team/NAME.',
  });
}

/** Tags are words, so that they can be listed and searched. @throws INPUT_INVALID */
export function parseTag(text: string): string {
  const tag = text.trim().toLowerCase();
  if (/^[\p{L}\p{N}][\p{L}\p{N}._:/-]{0,63}$/u.test(tag)) return tag;
  throw new AgovError('INPUT_INVALID', {
    what: `"${text.slice(0, 80)}" is no tag.`,
    fix: 'Use up to 64 letters, digits and . _ : / -',
  });
}
