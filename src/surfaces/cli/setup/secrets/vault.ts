import type { AddCommands } from '../../frame/index.ts';
import { auditFiles, auditOption, authorityOf, collect, differenceTable, inOrder, told } from '../project/layout.ts';

export const vaultCommands: AddCommands = (program, define) => {
  const vault = program.command('vault').description('what agov needs in HashiCorp Vault');

  define(
    vault
      .command('setup')
      .description('make mounts, policies, logins and groups as the tiers say; what is right already stays')
      .option(...auditOption, collect)
      .option('--dry-run', 'show what would be done, and do nothing')
      .option('--as <operator>', 'the operator who does it'),
    (cli, _args, { auditFile, dryRun, as }) =>
      cli.withApp(async (app) => {
        const by = app.operator(as);
        const authority = await authorityOf(app);
        const layout = await authority.layout(auditFiles(auditFile));
        if (!dryRun) return told(cli, await authority.mendLayout(layout, 'setup', by));
        const differences = await layout.differences();
        cli.emit({ differences }, () => (differences.length === 0 ? inOrder : differenceTable(cli, differences)));
        return 0;
      }),
    ['agov vault setup --dry-run', 'agov vault setup --audit-file /var/log/vault/1.log --audit-file /srv/audit/2.log'],
  );
};
