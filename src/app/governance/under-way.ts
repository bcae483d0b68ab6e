/** What is under way and what has failed, as the ledger tells it, for whoever has to go on. */
import type { PartValue } from '../../context/checkpoint/index.ts';
import type { Artifacts } from '../../governance/evidence/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import type { Entry } from '../../schemas/index.ts';
import { listRuns } from '../../work/pipeline/index.ts';

type Work = PartValue<'work'>;

const looked = 400;
const mostFailures = 5;
const mostTail = 600;

/** Runs of pipelines that have not ended, the newest first, with the stages that they are at. */
export function openRuns(ledger: Ledger): Work['runs'] {
  return listRuns(ledger, 50)
    .filter(({ status }) => status === 'running' || status === 'waiting')
    .map(({ run, pipeline, status, startedAt, stages }) => ({
      ...{ run, what: pipeline, status, at: startedAt },
      stages: [...stages].flatMap(([name, { status: at }]) => (at === 'open' || at === 'retrying' ? [name] : [])),
    }));
}

/** The newest first, each with the end of what it said on standard error. */
export async function failuresIn(
  ledger: Ledger,
  artifacts: Artifacts,
  { agent }: { readonly agent?: string },
): Promise<Work['failures']> {
  const who = agent === undefined ? {} : { agent };
  const outcomes = ledger.query({ kinds: ['outcome'], ...who, newestFirst: true, limit: looked });
  const failed = outcomes.filter(({ body }) => body['status'] === 'failed' || body['status'] === 'unknown');
  return Promise.all(
    failed.slice(0, mostFailures).map(async (entry) => ({
      ...{ at: entry.at, what: asked(ledger, entry), entry: entry.id },
      why: [reasonOf(entry), await tailOf(artifacts, entry)].filter((one) => one !== '').join(' '),
      ...(entry.agent === undefined ? {} : { agent: entry.agent }),
    })),
  );
}

function asked(ledger: Ledger, { parent }: Entry): string {
  const intent = parent === undefined ? undefined : ledger.byId(parent)?.body;
  if (!intent) return 'an intent';
  const args = intent['args'];
  const argv = typeof args === 'object' && args !== null && 'argv' in args ? args['argv'] : undefined;
  if (Array.isArray(argv)) return argv.join(' ').slice(0, 300);
  return `${String(intent['action'])} ${String(intent['resource'])}`.slice(0, 300);
}

function reasonOf({ body }: Entry): string {
  const reason = typeof body['reason'] === 'string' ? body['reason'] : String(body['status']);
  return /[.!?]$/.test(reason) ? reason : `${reason}.`;
}

async function tailOf(artifacts: Artifacts, { artifacts: kept = [] }: Entry): Promise<string> {
  const said = kept.find(({ name }) => name === 'stderr') ?? kept.find(({ name }) => name === 'stdout');
  if (!said) return '';
  try {
    const text = (await artifacts.get(said.sha256)).toString('utf8').trimEnd();
    return text.slice(-mostTail).split('\n').slice(-6).join(' / ');
  } catch {
    // It was erased, or lies on another host: that it failed is known without it.
    return '';
  }
}
