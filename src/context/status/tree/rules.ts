/**
 * Which directories are passed over: by the `.gitignore` files on the way, the deepest that says anything deciding, and
 * before all of them by `status.ignore`. Agents write such files: a line that would take long to match is left out, and
 * then more is looked at, never less.
 */
import ignore, { type Ignore } from 'ignore';

export interface Rules {
  /** `path` from the project's root, with `/` between; a directory whose parent is not passed over. */
  ignores(path: string): boolean;
  /** With what the `.gitignore` in `directory` says of what lies below it. */
  with(directory: string, text: string): Rules;
}

interface Layer {
  /** Empty for the root, else with a `/` at its end. */
  readonly base: string;
  readonly ignore: Ignore;
  /** No line of it says where: a directory’s own name is enough, which is much faster. */
  readonly byName: boolean;
}

const maxLines = 5000;
const maxLength = 1024;
/** Each star of a line may try each length. */
const maxStars = 6;
const always = new Set(['.git', '.agov', '.worktrees']);

export function rulesOf(configured: readonly string[]): Rules {
  const first = layer('', configured);
  const build = (layers: readonly Layer[]): Rules => ({
    ignores(path) {
      if (always.has(path.slice(path.lastIndexOf('/') + 1))) return true;
      if (first && verdict(first, path) !== undefined) return verdict(first, path) === true;
      for (let i = layers.length - 1; i >= 0; i--) {
        const one = layers[i];
        const said = one && verdict(one, path);
        if (said !== undefined) return said;
      }
      return false;
    },
    with(directory, text) {
      const added = layer(directory === '' ? '' : `${directory}/`, text.split('\n'));
      return added ? build([...layers, added]) : build(layers);
    },
  });
  return build([]);
}

function verdict({ base, ignore: rules, byName }: Layer, path: string): boolean | undefined {
  const inside = path.slice(byName ? path.lastIndexOf('/') + 1 : base.length);
  const { ignored, unignored } = rules.test(`${inside}/`);
  if (unignored) return false;
  if (!ignored) return undefined;
  // It may be meant for the parent, which a deeper file has let in again; then it says nothing of this one.
  const parent = inside.lastIndexOf('/');
  return parent > 0 && rules.test(inside.slice(0, parent + 1)).ignored ? undefined : true;
}

function layer(base: string, lines: readonly string[]): Layer | undefined {
  const kept = lines.map((line) => line.replace(/\r$/, '')).filter(usable);
  if (kept.length === 0) return undefined;
  const byName = kept.every((line) => !/\/./.test(line.trimEnd()) && !line.includes('**'));
  return { base, ignore: ignore().add(kept.slice(0, maxLines)), byName };
}

function usable(line: string): boolean {
  if (line.trim() === '' || line.startsWith('#') || line.length > maxLength) return false;
  if ((line.match(/\*+/g) ?? []).length > maxStars) return false;
  try {
    ignore().add(line).test('a/');
    return true;
  } catch {
    // It is no pattern; git passes over such a line as well.
    return false;
  }
}
