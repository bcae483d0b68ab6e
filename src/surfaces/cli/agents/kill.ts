/** Stopping agents: for good, until thawed, one, a run, a tier, all. */
import type { AgentRecord } from '../../../adapters/state/port.ts';
import type { App } from '../../../app/index.ts';
import { AgovError, formatDuration, isoTime } from '../../../kernel/index.ts';
import type { KillReport, KillTarget } from '../../../runtime/lifecycle/index.ts';
import { tierSchema, tiers } from '../../../schemas/index.ts';
import { type AddCommands, type Cli, oneLine } from '../frame/index.ts';

const verbs = {
  kill: {
    about: 'stop agents for good: mark them, kill what they run on every host, end their leases and locks',
    done: 'Killed',
    idle: 'There is nobody to kill.',
  },
  freeze: {
    about: 'stop agents until they are thawed: kill what they run, let nothing start',
    done: 'Froze',
    idle: 'There is nobody to freeze.',
  },
  thaw: { about: 'let frozen agents act again', done: 'Thawed', idle: 'There is nobody to thaw.' },
} as const;
export type Verb = keyof typeof verbs;

interface Options {
  readonly run?: string;
  readonly tier?: string;
  readonly all?: boolean;
  readonly retry?: boolean;
  readonly reason?: string;
  readonly as?: string;
}

export const killCommands: AddCommands = (program, define) => {
  for (const verb of ['kill', 'freeze', 'thaw'] as const) {
    const command = program
      .command(`${verb} [name]`)
      .description(verbs[verb].about)
      .option('--tier <tier>', verb === 'thaw' ? 'whom a freeze of this tier froze' : 'every agent of this tier')
      .option('--all', verb === 'thaw' ? 'whom a freeze of all froze' : 'every agent')
      .option('--reason <text>', 'why (required); recorded')
      .option('--as <operator>', 'the operator who does it');
    if (verb === 'kill') {
      command.option('--run <id>', 'one run, and not its agent');
      command.option('--retry', 'try again what earlier kills, freezes and thaws could not do');
    }
    define(
      command,
      (cli, [name], options: Options) => {
        if (options.retry) return cli.withApp((app) => retry(cli, app, name, options));
        return stop(cli, verb, targetOf(verb, name, options), options);
      },
      verb === 'kill'
        ? ['agov kill builder --reason "it lied"', 'agov kill --tier T1 --reason "…"', 'agov kill --retry']
        : [`agov ${verb} builder --reason "…"`, `agov ${verb} --all --reason "…"`],
    );
  }
};

/** Does it, tells what came of it, and gives the exit code: 1 where a step failed. */
export async function stop(cli: Cli, verb: Verb, target: KillTarget, { reason, as }: Options): Promise<number> {
  if (!reason) {
    const [what, fix] = [`To ${verb} needs a reason.`, `agov ${verb} … --reason "…"`];
    throw new AgovError('USAGE', { what, fix });
  }
  return cli.withApp(async (app) => {
    const by = app.operator(as);
    const one = 'agent' in target || 'run' in target;
    if (verb === 'thaw') {
      const { thawed, left } = await app.thaw(target, { by, reason }, cli.note);
      return tell(cli, verb, thawed, one, left);
    }
    return tell(cli, verb, await app[verb](target, { by, reason }, cli.note), one);
  });
}

async function retry(cli: Cli, app: App, name: string | undefined, options: Options): Promise<number> {
  if (name !== undefined || options.run || options.tier || options.all) {
    throw new AgovError('USAGE', { what: 'A retry takes no target: it finishes whatever is unfinished.' });
  }
  const reports = await app.retryKills({ onProgress: cli.note });
  if (reports.length > 0) return tell(cli, 'kill', reports, false);
  cli.emit([], () => 'Nothing is left to finish.');
  return 0;
}

/** @throws USAGE unless exactly one thing is named */
function targetOf(verb: Verb, name: string | undefined, { run, tier, all }: Options): KillTarget {
  const given = [name, run, tier, all || undefined].filter((one) => one !== undefined);
  if (given.length !== 1) {
    const what = given.length === 0 ? `Nobody to ${verb} is named.` : 'More than one target is named.';
    const fix = `Name exactly one: agov ${verb} NAME${verb === 'kill' ? ', --run ID' : ''}, --tier TIER or --all`;
    throw new AgovError('USAGE', { what, fix });
  }
  if (name !== undefined) return { agent: name };
  if (run !== undefined) return { run };
  if (all) return { all: true };
  const level = tierSchema.safeParse(tier);
  if (level.success) return { tier: level.data };
  throw new AgovError('INPUT_INVALID', { what: `"${tier}" is not a tier.`, fix: `Choose one of ${tiers.join(', ')}.` });
}

/** `one`: what was named can be but one. `left`: who a thaw of many has left frozen. */
function tell(
  cli: Cli,
  verb: Verb,
  reports: readonly KillReport[],
  one: boolean,
  left: readonly AgentRecord[] = [],
): number {
  const failed = reports.some(({ steps }) => steps.some(({ ok }) => !ok));
  const many = verb === 'thaw' ? { thawed: reports, left } : reports;
  const below = one ? reports.slice(1) : [];
  cli.emit(one ? (below.length > 0 ? { ...reports[0], below } : reports[0]) : many, () => {
    const [first] = reports;
    const stay = leftFrozen(cli, left);
    if (!first) return `${verbs[verb].idle}${stay}`;
    const under = below.length > 0 ? `${subject(first)} and ${below.length} below it` : subject(first);
    const names = one || reports.length === 1 ? under : `${reports.length} agents or runs`;
    const done = failed ? 'Not all is done of' : verbs[verb].done;
    const head = `${done} ${names} in ${formatDuration(Math.max(...reports.map(({ ms }) => ms)))}.`;
    const rest = failed ? '\nWhat failed stays on record as unfinished: agov kill --retry' : '';
    return `${head}\n${reports.length > 3 ? manyReports(cli, reports) : fewReports(cli, reports)}${rest}${stay}`;
  });
  return failed ? 1 : 0;
}

function leftFrozen(cli: Cli, left: readonly AgentRecord[]): string {
  if (left.length === 0) return '';
  const rows = left.map(({ name, operator, changedAt, reason = '' }) => [
    ...[name, oneLine(reason), `${operator}, ${isoTime(changedAt)}`],
  ]);
  const head = 'Left frozen, since no order over the same froze them alone; thaw each by its name:';
  return `\n${head}\n${cli.table(['AGENT', 'FROZEN FOR', 'BY'], rows)}`;
}

function fewReports(cli: Cli, reports: readonly KillReport[]): string {
  return cli.table(
    ['', 'OF', 'STEP', 'TOOK', ''],
    reports.flatMap((one) => one.steps.map((step) => row(cli, one, step))),
  );
}

/** One line each, and each step that failed. */
function manyReports(cli: Cli, reports: readonly KillReport[]): string {
  const rows = reports.flatMap((one) => {
    const failed = one.steps.filter(({ ok }) => !ok);
    if (failed.length > 0) return failed.map((step) => row(cli, one, step));
    const processes = one.steps.find(({ step }) => step === 'processes')?.detail ?? '';
    return [[cli.colors.green('ok'), one.agent ?? one.run ?? '', 'all', formatDuration(one.ms), processes]];
  });
  return cli.table(['', 'OF', 'STEP', 'TOOK', ''], rows);
}

function row(cli: Cli, report: KillReport, { ok, step, ms, detail }: KillReport['steps'][number]): string[] {
  const verdict = ok ? cli.colors.green('ok') : cli.colors.red('FAILED');
  return [verdict, report.agent ?? report.run ?? '', step, formatDuration(ms), oneLine(detail)];
}

function subject({ agent, run }: KillReport): string {
  return agent === undefined ? `run ${run}` : `agent ${agent}`;
}
