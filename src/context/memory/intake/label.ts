/** What a part is called: the headings it stands under, the functions and classes it begins. */
import type { Kind } from './kind.ts';

const longest = 200;

/** Parts in their order; a part may stand under a heading of an earlier one. */
export function labeller(kind: Kind): (part: Buffer) => string {
  const named = kind === 'markdown' ? underHeadings() : kind === 'code' ? definitions : undefined;
  // What has no names is not decoded: most of what is large.
  return named ? (part) => named(part.toString('utf8')) : () => '';
}

function underHeadings(): (text: string) => string {
  const path: string[] = [];
  return (text) => {
    let first: string | undefined;
    let fenced = false;
    for (const line of text.split('\n')) {
      if (/^\s{0,3}(?:```|~~~)/.test(line)) fenced = !fenced;
      const [, hashes, title] = (!fenced && /^(#{1,6}) +(.*?)\s*#*\s*$/.exec(line)) || [];
      if (hashes === undefined || title === undefined) {
        if (line.trim() !== '') first ??= path.join(' > ');
        continue;
      }
      path.length = Math.min(path.length, hashes.length - 1);
      path.push(title);
      first ??= path.join(' > ');
    }
    return (first ?? path.join(' > ')).slice(0, longest);
  };
}

const definition =
  /^\s{0,8}(?:export |default |async |public |private |protected |static |abstract |pub(?:\([a-z]+\))? |func \([^)]*\) )*(?:function\*?|class|interface|type|enum|struct|impl|trait|fn|func|def|module|resource|const(?= \w+ = (?:async )?(?:\(|function)))\s+["']?([\w.$]+)/gm;

function definitions(text: string): string {
  const names = new Set<string>();
  for (const [, name] of text.matchAll(definition)) if (name !== undefined) names.add(name);
  return [...names].join(' ').slice(0, longest);
}
