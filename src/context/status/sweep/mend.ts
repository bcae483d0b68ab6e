/** Mends what a sweep found, where that is safe: it makes what is missing and brings up what is stale. No text is lost. */
import { join } from 'node:path';
import { AgovError } from '../../../kernel/index.ts';
import { type UpdateParts, update, type Wanted } from '../update/index.ts';
import type { Finding } from './findings.ts';

/** `by` is who has it done. Findings that are left are as they were. */
export async function mend(
  parts: UpdateParts,
  root: string,
  found: readonly Finding[],
  by: string,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const done: Finding[] = [];
  for (const finding of found) {
    signal?.throwIfAborted();
    const wanted = mending(finding, by);
    done.push(wanted === undefined ? finding : await mendOne(parts, root, finding, wanted));
  }
  return done;
}

/** All else says something that only a person can know. */
function mending({ kind, message, faults }: Finding, by: string): Wanted | undefined {
  if (kind === 'missing') return { by };
  // That nobody has looked at the phase stays to be read.
  if (kind === 'stale') return { by, note: `${message} Phase and tasks are as they were.` };
  // Words alone get a front matter above them.
  const [fault, another] = faults ?? [];
  const bare = another === undefined && /has no front matter|The file is empty/.test(fault?.message ?? '');
  return kind === 'malformed' && bare ? { by } : undefined;
}

async function mendOne(parts: UpdateParts, root: string, finding: Finding, wanted: Wanted): Promise<Finding> {
  try {
    await update(parts, root, join(root, finding.path), wanted);
    return { ...finding, fixed: wanted.note === undefined ? 'made' : 'brought up, with a note of the change' };
  } catch (error) {
    // One directory that is read-only leaves the others to be mended; it stays found.
    if (error instanceof AgovError)
      return { ...finding, message: `${finding.message} It cannot be mended: ${error.what}` };
    throw error;
  }
}
