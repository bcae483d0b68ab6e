import type { AgentRecord } from '../../../adapters/state/port.ts';
import { AgovError, isoTime } from '../../../kernel/index.ts';
import { addAgent, retireAgent } from '../../../runtime/bootstrap/index.ts';
import { type AddCommands, type Cli, oneLine } from '../frame/index.ts';
import { definitionCommands, mustBeFree, shippedNamed, writeLike } from './definitions/index.ts';
import { stop } from './kill.ts';
import { parseTier, standingCommands, tokensLeft } from './standing.ts';

export const agentCommand: AddCommands = (program, define) => {
  const agent = program
    .command('agent')
    .description('add, list, show, promote, demote, invite, retire and revoke agents');

  define(
    agent
      .command('add <name>')
      .description('register an agent; an operator’s act, on record')
      .option('--tier <tier>', 'T0, T1 or T2 (default: T0, or that of the agent that it is like)')
      .option('--like <agent>', 'an agent that comes with agov: writes agents/NAME.yaml; see "agov agent shipped"')
      .option('--as <operator>', 'the operator who does it'),
    (cli, [name = ''], { tier, like, as }) =>
      cli.withApp(async (app) => {
        const shipped = like === undefined ? undefined : shippedNamed(like);
        const level = parseTier(tier ?? shipped?.tier ?? 'T0');
        if (shipped && level !== shipped.tier) throw otherTier(shipped.name, shipped.tier);
        const by = app.operator(as);
        if (shipped) mustBeFree(app, name);
        const made = await addAgent(await app.standing(), name, level, by);
        const file = shipped && writeLike(app, name, shipped);
        cli.emit({ ...made, ...(file === undefined ? {} : { file }) }, () =>
          [
            `Added agent ${made.name} at ${made.tier}, by ${made.operator}.`,
            ...(file === undefined ? [] : [`Wrote ${file}. Run it: agov agent run ${name} --task "…"`]),
          ].join('\n'),
        );
      }),
    ['agov agent add reader', 'agov agent add builder --tier T1', 'agov agent add scout --like observer'],
  );

  standingCommands(agent, define);
  definitionCommands(agent, define);

  define(agent.command('list').description('all agents'), (cli) =>
    cli.withApp(async (app) => {
      const roster = await app.roster();
      const mine = (await roster.list()).map((a) => ({ ...a, elsewhere: false }));
      // They may do nothing here; a kill reaches them.
      const agents = [...mine, ...(await roster.elsewhere()).map((a) => ({ ...a, elsewhere: true }))];
      const live = await (await app.state()).registry.liveRuns();
      cli.emit(agents, () => {
        if (agents.length === 0) return 'No agents yet. Add one: agov agent add NAME [--tier T1]';
        return cli.table(
          ['NAME', 'TIER', 'STATUS', 'RUNS NOW', 'BY', 'SINCE'],
          inTree(agents).map(({ level, ...a }) => [
            `${'  '.repeat(level)}${a.name}`,
            a.tier,
            status(cli, a) + (a.elsewhere ? cli.colors.dim(' (another host’s ledger)') : ''),
            String(live.filter((run) => run.agent === a.name).length),
            a.operator,
            isoTime(a.changedAt).slice(0, 19).replace('T', ' '),
          ]),
        );
      });
    }),
  );

  define(agent.command('show <name>').description('one agent: tier, status, what it did last'), (cli, [name = '']) =>
    cli.withApp(async (app) => {
      const found = await (await app.roster()).get(name);
      const recent = (await app.ledger()).query({ kinds: ['intent'], agent: name, newestFirst: true, limit: 10 });
      cli.emit({ ...found, recent }, () => {
        const lines = [
          `${found.name}  ${found.tier}  ${status(cli, found)}`,
          `by ${found.operator} since ${isoTime(found.changedAt)}${found.reason ? `: ${found.reason}` : ''}`,
          ...(found.parent === undefined ? [] : [`started by ${found.parent}`]),
        ];
        const rows = recent.map(({ at, body }) => {
          const { verdict } = body['decision'] as { verdict: string }; // written by the governor alone
          return [
            at.slice(0, 19).replace('T', ' '),
            verdict,
            String(body['action']),
            oneLine(String(body['resource'])),
          ];
        });
        return rows.length === 0
          ? lines.join('\n')
          : `${lines.join('\n')}\n\n${cli.table(['AT', 'VERDICT', 'ACTION', 'RESOURCE'], rows)}`;
      });
    }),
  );

  define(
    agent
      .command('retire <name>')
      .description('end an agent that is no longer needed')
      .option('--reason <text>', 'why; recorded', 'no longer needed')
      .option('--as <operator>', 'the operator who does it'),
    (cli, [name = ''], { reason, as }) =>
      cli.withApp(async (app) => {
        const { agent: gone, retired } = await retireAgent(await app.standing(), name, {
          by: app.operator(as),
          reason,
        });
        cli.emit({ ...gone, ...(retired?.known ? { tokens: retired.live } : {}) }, () =>
          [`Retired agent ${name}. What it runs now may end; it starts nothing new.`, ...tokensLeft(retired)].join(
            '\n',
          ),
        );
      }),
    ['agov agent retire builder --reason "…"'],
  );

  define(
    agent
      .command('revoke <name>')
      .description('stop an agent for cause; the same as "agov kill NAME"')
      .option('--reason <text>', 'why (required); recorded')
      .option('--as <operator>', 'the operator who does it'),
    (cli, [name = ''], options) => stop(cli, 'kill', { agent: name }, options),
    ['agov agent revoke builder --reason "…"'],
  );
};

function otherTier(like: string, tier: string): AgovError {
  return new AgovError('USAGE', { what: `"${like}" works at ${tier} and at no other tier.`, fix: 'Leave --tier out.' });
}

/** Each below the one that started it. */
function inTree<A extends { readonly name: string; readonly parent?: string }>(
  agents: readonly A[],
): (A & { level: number })[] {
  const known = new Set(agents.map(({ name }) => name));
  const under = Map.groupBy(agents, ({ parent }) => (parent !== undefined && known.has(parent) ? parent : ''));
  const below = (name: string, level: number): (A & { level: number })[] =>
    (under.get(name) ?? []).flatMap((one) => [{ ...one, level }, ...below(one.name, level + 1)]);
  return below('', 0);
}

function status(cli: Cli, { status: value }: AgentRecord): string {
  if (value === 'active') return cli.colors.green(value);
  if (value === 'frozen') return cli.colors.yellow(value);
  return value === 'revoked' ? cli.colors.red(value) : cli.colors.dim(value);
}
