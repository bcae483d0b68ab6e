/**
 * Makes the authority what the declaration says, one change after the other. Each is on record before it is made, and at
 * the end one entry says what came of all: what was interrupted in between shows as a change that nothing concludes, and
 * the next run finds out how it stands.
 */
import type { Difference, Layout } from '../../adapters/authority/port.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { type AgovError, canonicalHash, canonicalJson, isAgovError, type JsonObject } from '../../kernel/index.ts';
import type { OperatorAct } from '../../work/agents/index.ts';

export interface LayoutReport {
  readonly changed: readonly Difference[];
  readonly failed: readonly { readonly difference: Difference; readonly error: AgovError }[];
  /** For a person to decide. */
  readonly left: readonly Difference[];
  /** Because the authority stopped answering before. */
  readonly untried: readonly Difference[];
}

export interface LayoutWork {
  readonly layout: Layout;
  /** Opened once it can be. */
  readonly ledger: () => Promise<Ledger>;
  /** Whether the ledger's own key is part of the layout, so that nothing can be recorded before it is there. */
  readonly signedThere: boolean;
  readonly command: 'setup' | 'fix';
  readonly by: OperatorAct;
}

interface Attempt {
  readonly difference: Difference;
  readonly error?: AgovError;
}

/** More than this of what stood there is recorded by its digest. */
const longest = 8192;

export async function mendLayout(work: LayoutWork): Promise<LayoutReport> {
  const { layout, signedThere } = work;
  const found = await layout.differences();
  const todo = found.filter(({ left }) => left === undefined);
  const before = signedThere ? todo.filter(({ signs }) => signs) : [];

  const attempts: Attempt[] = [];
  const goesOn = (): boolean => attempts.every(({ error }) => error === undefined || isOfOneThing(error));
  for (const one of before) attempts.push(await attempt(layout, one));
  // Without its key the ledger takes no entry: nothing further may happen.
  if (attempts.some(({ error }) => error)) return reportOf(found, attempts);

  const entries: string[] = [];
  for (const one of before) entries.push(await record(work, one));
  for (const one of todo.filter((other) => !before.includes(other))) {
    entries.push(await record(work, one));
    attempts.push(await attempt(layout, one));
    if (!goesOn()) break;
  }
  const report = reportOf(found, attempts);
  if (entries.length > 0) await conclude(work, report, entries);
  return report;
}

async function attempt(layout: Layout, difference: Difference): Promise<Attempt> {
  try {
    await layout.mend(difference);
    return { difference };
  } catch (error) {
    if (isAgovError(error)) return { difference, error };
    throw error;
  }
}

/** What is refused at one path may be granted at the next; a server that is sealed or gone is so for all. */
function isOfOneThing(error: AgovError): boolean {
  return error.code === 'CONFLICT' || ['capability', 'refused'].includes(String(error.details?.['reason']));
}

function reportOf(found: readonly Difference[], attempts: readonly Attempt[]): LayoutReport {
  const tried = new Set(attempts.map(({ difference }) => difference));
  return {
    changed: attempts.flatMap(({ difference, error }) => (error ? [] : [difference])),
    failed: attempts.flatMap(({ difference, error }) => (error ? [{ difference, error }] : [])),
    left: found.filter(({ left }) => left !== undefined),
    untried: found.filter((one) => one.left === undefined && !tried.has(one)),
  };
}

async function record({ ledger, command, by }: LayoutWork, { path, is, should }: Difference): Promise<string> {
  const body = { ...by, step: 'changing', command, path, before: bounded(is), after: bounded(should) };
  return (await (await ledger()).append({ kind: 'authority', body })).id;
}

async function conclude(
  { ledger, command, by }: LayoutWork,
  { changed, failed, left, untried }: LayoutReport,
  entries: readonly string[],
): Promise<void> {
  const paths = (of: readonly Difference[]): string[] => of.map(({ path }) => path);
  const body = {
    ...{ ...by, step: failed.length + untried.length === 0 ? 'changed' : 'failed', command, entries },
    ...{ changed: paths(changed), left: paths(left), untried: paths(untried) },
    failed: failed.map(({ difference, error }) => ({ path: difference.path, code: error.code, what: error.what })),
  };
  await (await ledger()).append({ kind: 'authority', body });
}

function bounded(state: JsonObject | null): JsonObject | null {
  return state && canonicalJson(state).length > longest ? { sha256: canonicalHash(state) } : state;
}
