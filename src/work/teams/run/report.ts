/** What a run's agents did, from the record: who started whom, what each spent and came to, who wrote what to whom. */
import { type Budgets, formatAmount } from '../../../governance/budgets/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import { everyEntry, type Ledger } from '../../../governance/ledger/index.ts';
import { foldFleet } from '../../../governance/standing/index.ts';
import type { Entry, Tier } from '../../../schemas/index.ts';
import { sentIn } from '../messages/inbox.ts';

export interface ReportedAgent {
  readonly name: string;
  readonly tier: Tier;
  readonly role: string | undefined;
  /** Undefined for the one at the top. */
  readonly parent: string | undefined;
  /** `leads` for the one at the top; what came of it for the others. */
  readonly state: 'leads' | 'running' | 'ok' | 'failed' | 'unknown';
  readonly reason: string | undefined;
  readonly ms: number | undefined;
  /** `actions 12, tokens 800`; allowed intents where it has no budget of its own. */
  readonly spent: string;
}

export interface TeamReport {
  readonly run: string;
  readonly agents: readonly ReportedAgent[];
  readonly messages: readonly {
    readonly at: string;
    readonly from: string;
    readonly to: string;
    readonly text: string;
  }[];
}

interface ReportParts {
  readonly ledger: Ledger;
  readonly budgets: Pick<Budgets, 'statement'>;
  readonly artifacts: Artifacts;
}

const mostShown = 2000;

export async function teamReport(parts: ReportParts, run: string): Promise<TeamReport> {
  const { ledger, artifacts } = parts;
  const entries = [...everyEntry(ledger, { kinds: ['agent', 'intent', 'outcome'], run })];
  const born = entries.filter(({ kind, body }) => kind === 'agent' && body['step'] === 'spawned');
  if (born.length === 0) return { run, agents: [], messages: [] };
  const { handed, agents: all } = foldFleet(ledger);
  const acts = Map.groupBy(entries.filter(isAllowed), ({ agent = '' }) => agent);
  const outcomes = new Map(
    entries.flatMap((one) => (one.kind === 'outcome' && one.parent ? [[one.parent, one] as const] : [])),
  );
  const spent = (name: string): string => {
    const scope = handed.get(name)?.budget;
    const own = scope === undefined ? undefined : parts.budgets.statement(scope);
    if (own?.agent !== name) return `actions ${acts.get(name)?.length ?? 0}`;
    const kinds = (['actions', 'tokens', 'moneyMicros'] as const).filter(
      (kind) => kind === 'actions' || own.used[kind] > 0,
    );
    return kinds
      .map((kind) => `${kind === 'moneyMicros' ? 'money' : kind} ${formatAmount(kind, own.used[kind])}`)
      .join(', ');
  };
  const children = born.map((entry): ReportedAgent => {
    const name = entry.agent ?? '';
    const given = handed.get(name);
    const outcome = outcomes.get(given?.intent ?? '');
    const { status, reason } = (outcome?.body ?? {}) as {
      readonly status?: 'ok' | 'failed' | 'unknown';
      readonly reason?: string;
    };
    const ms = outcome === undefined ? undefined : Date.parse(outcome.at) - Date.parse(entry.at);
    return {
      name,
      tier: entry.tier ?? 'T0',
      role: given?.role,
      parent: given?.parent,
      state: status ?? 'running',
      reason,
      ms,
      spent: spent(name),
    };
  });
  const names = new Set(children.map(({ name }) => name));
  const tops = [...new Set(children.map(({ parent = '' }) => parent))].filter((name) => !names.has(name));
  const roots = tops.map(
    (name): ReportedAgent => ({
      ...{
        name,
        tier: all.get(name)?.tier ?? 'T0',
        role: undefined,
        parent: undefined,
        state: 'leads',
        reason: undefined,
        ms: undefined,
      },
      spent: spent(name),
    }),
  );
  const sent = entries.flatMap((entry) => {
    const one = entry.kind === 'outcome' ? sentIn(ledger, entry) : undefined;
    return one ? [{ at: entry.at, ...one }] : [];
  });
  const messages = await Promise.all(
    sent.map(async ({ at, from, to, message }) => ({
      at,
      from,
      to,
      text: (await textOf(artifacts, message)).slice(0, mostShown),
    })),
  );
  return { run, agents: [...roots, ...children], messages };
}

function isAllowed({ kind, body }: Entry): boolean {
  return kind === 'intent' && (body['decision'] as { readonly verdict?: string }).verdict === 'allow'; // written by the governor alone
}

/** One that was erased is told as that. */
async function textOf(artifacts: Artifacts, sha256: string): Promise<string> {
  return (await artifacts.has(sha256)) ? (await artifacts.get(sha256)).toString('utf8') : '(erased)';
}
