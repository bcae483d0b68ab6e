import { stripVTControlCharacters } from 'node:util';
import type { EntryQuery, Ledger } from '../../../governance/ledger/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import { type Entry, entryKindSchema, entryKinds, nearest } from '../../../schemas/index.ts';
import { type AddCommands, type Cli, oneLine } from '../frame/index.ts';

export const tailCommand: AddCommands = (ledger, define) => {
  define(
    ledger
      .command('tail')
      .description('the newest entries, oldest of them first')
      .option('-f, --follow', 'go on printing entries as any process writes them')
      .option('-n, --limit <count>', 'how many', '20')
      .option('--run <id>', 'only of this run')
      .option('--agent <name>', 'only of this agent')
      .option('--kind <kind...>', `only of these kinds: ${entryKinds.join(', ')}`),
    (cli, _args, options) => cli.withApp(async (app) => tail(cli, await app.record(), options)),
    [
      'agov ledger tail --kind intent --kind outcome',
      'agov ledger tail --follow --agent builder',
      'agov ledger tail --json -n 1000',
    ],
  );
};

interface TailOptions {
  readonly follow?: boolean;
  readonly limit?: string;
  readonly run?: string;
  readonly agent?: string;
  readonly kind?: readonly string[];
}

async function tail(
  cli: Cli,
  ledger: Ledger,
  { follow, limit = '20', run, agent, kind = [] }: TailOptions,
): Promise<void> {
  const query: EntryQuery = {
    ...(run ? { run } : {}),
    ...(agent ? { agent } : {}),
    ...(kind.length > 0 ? { kinds: kind.map(parseKind) } : {}),
  };
  const newest = ledger.query({ ...query, newestFirst: true, limit: parseCount(limit) });
  for (const entry of [...newest].reverse()) print(cli, entry);
  if (!follow) return;
  const ended = new AbortController();
  using _listening = cli.io.signals.listen(() => ended.abort());
  cli.io.stdout.once('error', () => ended.abort());
  const after = ledger.head().size - 1;
  for await (const entry of ledger.follow(ended.signal, after)) if (matches(entry, query)) print(cli, entry);
}

function matches(entry: Entry, { kinds, run, agent }: EntryQuery): boolean {
  return (!kinds || kinds.includes(entry.kind)) && (!run || entry.run === run) && (!agent || entry.agent === agent);
}

function parseKind(kind: string) {
  const parsed = entryKindSchema.safeParse(kind);
  if (parsed.success) return parsed.data;
  const hint = nearest(kind, entryKinds);
  throw new AgovError('USAGE', {
    what: `"${kind}" is not a kind of entry.`,
    fix: hint ? `Did you mean ${hint}?` : `Kinds are ${entryKinds.join(', ')}.`,
  });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0 && count <= 100_000) return count;
  throw new AgovError('USAGE', {
    what: `"${text}" is not a number of entries.`,
    fix: 'Give a whole number up to 100000.',
  });
}

function print(cli: Cli, entry: Entry): void {
  cli.emitLine(entry, () => {
    const { dim, cyan } = cli.colors;
    const who = entry.agent ? `${entry.agent}${entry.tier ? ` ${entry.tier}` : ''}` : '';
    const columns = [
      dim(String(entry.seq).padStart(6)),
      dim(entry.at.slice(11, 23)),
      cyan(entry.kind.padEnd(9)),
      who.padEnd(14),
    ];
    const begin = `${columns.join('  ')}  `;
    const room = cli.io.stdout.isTTY
      ? (cli.io.stdout.columns ?? 80) - stripVTControlCharacters(begin).length
      : Infinity;
    const rest = oneLine(summary(cli, entry));
    return `${begin}${rest.length > room ? `${rest.slice(0, Math.max(0, room - 1))}…` : rest}`;
  });
}

/** One line that says the most; `--json` has the rest. */
function summary(cli: Cli, { kind, body }: Entry): string {
  const text = (key: string): string => (body[key] === undefined ? '' : String(body[key]));
  switch (kind) {
    case 'intent': {
      const { verdict, reasons } = body['decision'] as { verdict: string; reasons: string[] }; // the governor's own
      const args = body['args'] as { argv?: string[] };
      const what = `${text('action')} ${args.argv?.join(' ') ?? text('resource')}`;
      return verdict === 'allow' ? `allow  ${what}` : `${verdict.padEnd(5)}  ${what}: ${reasons[0] ?? ''}`;
    }
    case 'outcome': {
      const reason = text('reason');
      return reason ? `${text('status')}: ${reason}` : text('status');
    }
    case 'agent':
      return `${text('step')} by ${text('operator')}${text('reason') ? `: ${text('reason')}` : ''}`;
    case 'approval':
      return `${text('step')}${text('operator') ? ` by ${text('operator')} (${text('via')})` : ''}`;
    case 'stage':
      return `${text('stage')} ${text('step')}${text('status') ? `: ${text('status')}` : ''}`;
    case 'run':
      return `${text('step')} ${text('pipeline')}${text('status')}`;
    default:
      return cli.json ? '' : JSON.stringify(body);
  }
}
