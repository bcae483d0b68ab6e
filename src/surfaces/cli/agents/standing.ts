/** An agent's tier and its identity: promoted, demoted, enrolled, invited. */
import { resolve } from 'node:path';
import type { Retired } from '../../../adapters/authority/port.ts';
import { AgovError, isoTime, parseDuration } from '../../../kernel/index.ts';
import { enrollAgent, inviteAgent, moveAgent, reserveInvitation } from '../../../runtime/bootstrap/index.ts';
import { nearest, type Tier, tierLevel, tierSchema, tiers } from '../../../schemas/index.ts';
import type { AddCommands, Cli } from '../frame/index.ts';

/** Below `agov agent`. */
export const standingCommands: AddCommands = (agent, define) => {
  for (const verb of ['promote', 'demote'] as const) {
    const about = {
      promote: 'give an agent a higher tier, from its next request on',
      demote: 'give an agent a lower tier at once, and stop what it runs by the higher one',
    };
    define(
      agent
        .command(`${verb} <name>`)
        .description(about[verb])
        .requiredOption('--to <tier>', 'T0, T1 or T2')
        .option('--reason <text>', 'why (required); recorded')
        .option('--as <operator>', 'the operator who does it'),
      (cli, [name = ''], options) => move(cli, verb, name, options),
      [`agov agent ${verb} builder --to ${verb === 'promote' ? 'T2' : 'T0'} --reason "…"`],
    );
  }

  define(
    agent
      .command('enroll <name>')
      .description('make an agent’s identity in Vault what the ledger says, or finish one that was begun')
      .option('--as <operator>', 'the operator who does it'),
    (cli, [name = ''], { as }) =>
      cli.withApp(async (app) => {
        const { agent: made, retired } = await enrollAgent(await app.standing(), name, app.operator(as));
        cli.emit({ ...made, ...(retired ? { tokens: retired.live } : {}) }, () =>
          retired
            ? [`Agent ${made.name} is retired.`, ...tokensLeft(retired)].join('\n')
            : `Agent ${made.name} has its identity at ${made.tier}.`,
        );
      }),
    ['agov agent enroll builder'],
  );

  define(
    agent
      .command('invite <name>')
      .description('write an invitation for a host whose governor may make none: one login, soon')
      .requiredOption('--out <file>', 'a new file outside the project, mode 0600')
      .option('--ttl <duration>', 'how long it may wait: 10s to 15m', '5m')
      .option('--as <operator>', 'the operator who does it'),
    (cli, [name = ''], options) => invite(cli, name, options),
    ['agov agent invite builder --out ~/builder.invitation --ttl 5m'],
  );
};

interface MoveOptions {
  readonly to?: string;
  readonly reason?: string;
  readonly as?: string;
}

async function move(cli: Cli, verb: 'promote' | 'demote', name: string, { to = '', reason, as }: MoveOptions) {
  if (!reason) {
    const fix = `agov agent ${verb} ${name} --to ${to} --reason "…"`;
    throw new AgovError('USAGE', { what: `To ${verb} needs a reason.`, fix });
  }
  const tier = parseTier(to);
  return cli.withApp(async (app) => {
    const by = app.operator(as);
    const before = (await (await app.roster()).get(name)).tier;
    const up = tierLevel(tier) - tierLevel(before);
    if (up !== 0 && up > 0 !== (verb === 'promote')) {
      throw new AgovError('INPUT_INVALID', {
        what: `From ${before} to ${tier} is no ${verb === 'promote' ? 'promotion' : 'demotion'}.`,
        fix: `Say: agov agent ${up > 0 ? 'promote' : 'demote'} ${name} --to ${tier}`,
      });
    }
    const { agent, stopped } = await moveAgent(
      await app.standing(),
      name,
      { to: tier, stops: verb === 'demote' },
      { by, reason },
    );
    const failed = stopped?.steps.filter(({ ok }) => !ok) ?? [];
    cli.emit({ agent, ...(stopped ? { stopped } : {}) }, () => {
      const rows = failed.map(({ step, detail }) => `  not done: ${step}: ${detail} (agov kill --retry)`);
      return [`Agent ${agent.name} is at ${agent.tier} now.`, ...rows].join('\n');
    });
    return failed.length === 0 ? 0 : 1;
  });
}

interface InviteOptions {
  readonly out?: string;
  readonly ttl?: string;
  readonly as?: string;
}

async function invite(cli: Cli, name: string, { out = '', ttl = '5m', as }: InviteOptions): Promise<void> {
  return cli.withApp(async (app) => {
    const by = app.operator(as);
    const { root } = app.project;
    const file = resolve(cli.cwd, out);
    using place = reserveInvitation(file, root);
    const invitation = await inviteAgent(await app.standing(), name, parseDuration(ttl), by);
    place.write(name, invitation);
    const told = { agent: name, file, id: invitation.id, expiresAt: isoTime(invitation.expiresAt) };
    cli.emit(told, () => `${file} invites ${name} once, until ${told.expiresAt}. Hand it over and delete it.`);
  });
}

/** What a retirement has come to outside of agov, in a line. */
export function tokensLeft(retired: Retired | undefined): readonly string[] {
  if (!retired?.known) return [];
  if (retired.live === 0) return ['Its identity in Vault has ended.'];
  const tokens = retired.live === 1 ? 'the token' : `the ${retired.live} tokens`;
  return [`Its identity in Vault lets nobody in any more, and ends with ${tokens} that what it runs now holds.`];
}

/** @throws INPUT_INVALID */
export function parseTier(text: string): Tier {
  const level = tierSchema.safeParse(text);
  if (level.success) return level.data;
  const hint = nearest(text, tiers);
  throw new AgovError('INPUT_INVALID', {
    what: `"${text}" is not a tier.`,
    fix: hint ? `Did you mean ${hint}?` : `Choose one of ${tiers.slice(0, 3).join(', ')}.`,
  });
}
