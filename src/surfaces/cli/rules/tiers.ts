import { compileCedar, compileSandbox, compileVault, type Grant } from '../../../governance/tiers/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import { tiers } from '../../../schemas/index.ts';
import type { AddCommands } from '../frame/index.ts';
import {
  auditFiles,
  auditOption,
  authorityOf,
  collect,
  differenceTable,
  inOrder,
  told,
} from '../setup/project/layout.ts';

export const tierCommands: AddCommands = (program, define) => {
  const tier = program.command('tiers').description('what each tier may do, and what is compiled from that');

  define(tier.command('show').description('the tiers: alone, with approval, sandbox, network, secrets, lease'), (cli) =>
    cli.withApp(async (app) => {
      const { declaration, grants } = await app.tiers();
      cli.emit(declaration, () => {
        const meant = (of: readonly Grant[]): string => [...new Set(of.map((g) => g.means))].join('; ') || '–';
        const rows = tiers.map((name) => {
          const { name: title, sandbox, lease } = declaration.tiers[name];
          const own = grants.filter((grant) => grant.tier === name);
          return [
            `${name} ${title}`,
            meant(own.filter((g) => g.approvals === 0)),
            meant(own.filter((g) => g.approvals > 0)),
            sandbox.access,
            sandbox.network,
            lease,
          ];
        });
        return `${cli.table(['TIER', 'ALONE', 'WITH APPROVAL', 'WORKSPACE', 'NETWORK', 'LEASE'], rows)}\n\nEach tier up to T3 also has what is above it in this table.`;
      });
    }),
  );

  define(
    tier
      .command('compile')
      .description('print what follows from the declaration')
      .option('--to <target>', 'cedar, vault or sandbox; all when left out'),
    (cli, _args, { to }) =>
      cli.withApp(async (app) => {
        const declared = await app.tiers();
        const overrides = { tools: app.config.tools, hosts: app.config.hosts };
        const targets: Record<string, () => unknown> = {
          cedar: () => compileCedar(declared, overrides),
          vault: () => compileVault(declared, app.config.secrets.vault ?? { mount: 'agov', prefix: 'agov' }),
          sandbox: () => compileSandbox(declared, overrides),
        };
        const wanted = to === undefined ? Object.keys(targets) : [to];
        const compiled = Object.fromEntries(
          wanted.map((target) => {
            const compile = targets[target];
            if (!compile)
              throw new AgovError('USAGE', { what: `"${target}" is no target.`, fix: 'Use cedar, vault or sandbox.' });
            return [target, compile()];
          }),
        );
        cli.emit(to === undefined ? compiled : compiled[to], () =>
          wanted.map((target) => render(target, compiled[target])).join('\n\n'),
        );
      }),
    ['agov tiers compile --to cedar', 'agov tiers compile --to vault --json'],
  );

  define(
    tier
      .command('drift')
      .description('hold what stands in Vault against the declaration, path by path; 1 where it differs')
      .option('--fix', 'mend what differs; each change is recorded')
      .option(...auditOption, collect)
      .option('--as <operator>', 'the operator who mends it'),
    (cli, _args, { fix, auditFile, as }) =>
      cli.withApp(async (app) => {
        const authority = await authorityOf(app);
        const layout = await authority.layout(auditFiles(auditFile));
        if (fix) return told(cli, await authority.mendLayout(layout, 'fix', app.operator(as)));
        const differences = await layout.differences();
        cli.emit({ differences }, () => (differences.length === 0 ? inOrder : differenceTable(cli, differences)));
        return differences.length === 0 ? 0 : 1;
      }),
    ['agov tiers drift', 'agov tiers drift --fix'],
  );
};

function render(target: string, compiled: unknown): string {
  if (target === 'cedar')
    return (compiled as ReturnType<typeof compileCedar>).map((policy) => policy.text).join('\n\n');
  if (target === 'vault') {
    return (compiled as ReturnType<typeof compileVault>).map(({ name, hcl }) => `# policy ${name}\n${hcl}`).join('\n');
  }
  return JSON.stringify(compiled, null, 2);
}
