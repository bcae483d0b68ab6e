import type { PendingApproval } from '../../../governance/approvals/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import { type AddCommands, oneLine } from '../frame/index.ts';

export const approvalCommands: AddCommands = (program, define) => {
  define(program.command('approvals').description('intents that wait for an operator'), (cli) =>
    cli.withApp(async (app) => {
      const { version } = await app.policy();
      const pending = (await app.approvals()).pending().map((a) => ({ ...a, stale: a.policyVersion !== version }));
      cli.emit(pending, () => {
        if (pending.length === 0) return 'Nothing waits for approval.';
        const rows = pending.map((a) => [
          a.id,
          `${a.agent} ${a.tier ?? ''}`,
          describe(a),
          [`${a.operators.length}/${a.quorum}`, a.roles.join(' or ')].filter(Boolean).join(' '),
          a.stale ? cli.colors.yellow('policy changed') : a.expiresAt.slice(11, 19),
          a.run ?? '',
        ]);
        return cli.table(['ID', 'AGENT', 'WANTS', 'GIVEN', 'UNTIL', 'RUN'], rows);
      });
    }),
  );

  define(
    program
      .command('approve <id>')
      .description('consent to exactly one intent, once (the id or its end)')
      .option('--as <operator>', 'the operator who consents'),
    (cli, [id = ''], { as }) =>
      cli.withApp(async (app) => {
        const by = { ...app.operator(as), via: 'agov approve' };
        const given = await (await app.approvals()).approve(id, by, (await app.policy()).version);
        const missing = given.quorum - given.operators.length;
        cli.emit(given, () => {
          const who = given.roles.length === 0 ? '' : ` with the role ${given.roles.join(' or ')}`;
          const rest = missing > 0 ? ` ${missing} more${who} must approve.` : ' It may be tried again now, once.';
          return `${by.operator} approved: ${describe(given)}, by agent ${given.agent}.${rest}`;
        });
      }),
    ['agov approve 0199c2d4-…', 'agov approve 7f3a9c21 --as grace'],
  );

  define(
    program
      .command('deny <id>')
      .description('refuse an intent that waits')
      .option('--reason <text>', 'why (required); recorded')
      .option('--as <operator>', 'the operator who refuses'),
    (cli, [id = ''], { reason, as }) => {
      if (!reason)
        throw new AgovError('USAGE', { what: 'A refusal needs a reason.', fix: `agov deny ${id} --reason "…"` });
      return cli.withApp(async (app) => {
        const by = { ...app.operator(as), via: 'agov deny' };
        await (await app.approvals()).deny(id, by, reason);
        cli.emit({ denied: id, ...by, reason }, () => `${by.operator} refused ${id}: ${reason}`);
      });
    },
    ['agov deny 7f3a9c21 --reason "not before the release"'],
  );
};

/** Everything that the consent is to: a secret or a folder that is not shown would be consented to unseen. */
function describe({ intent }: PendingApproval): string {
  const { argv, ...rest } = intent.args;
  const what = Array.isArray(argv) ? argv.map(word).join(' ') : intent.resource;
  const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
  return oneLine(`${intent.action} ${what}${more}`);
}

/** Quoted where the border between two arguments could not be seen. */
function word(argument: unknown): string {
  return typeof argument === 'string' && /^[^\s"'\\]+$/.test(argument) ? argument : JSON.stringify(argument);
}
