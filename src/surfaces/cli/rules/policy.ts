import { checkPolicies, testPolicies } from '../../../governance/policy/index.ts';
import { formatFault } from '../../../schemas/index.ts';
import { type AddCommands, printable } from '../frame/index.ts';

export const policyCommands: AddCommands = (program, define) => {
  const policy = program.command('policy').description('check and test the rules in policies/*.cedar');

  define(
    policy
      .command('check')
      .description('refuse what cannot be parsed, cannot be reached, or has no example for and against'),
    (cli) =>
      cli.withApp(async (app) => {
        const report = await checkPolicies(await app.policySources());
        cli.emit(report, () => {
          const { files, rules, examples, builtin } = report.counts;
          if (report.ok) {
            return `${cli.colors.green('ok')}: ${rules} rules in ${files} files with ${examples} examples, on top of ${builtin} of the tiers`;
          }
          return [
            `${cli.colors.red('refused')}: nothing is allowed until this is mended.`,
            ...report.faults.map((f) => `  ${printable(formatFault(f))}`),
          ].join('\n');
        });
        return report.ok ? 0 : 1;
      }),
  );

  define(policy.command('test').description('run every example of the project’s rules'), (cli) =>
    cli.withApp(async (app) => {
      const report = await testPolicies(await app.policySources());
      cli.emit(report, () => {
        const rows = report.examples.map((e) => [
          e.ok ? cli.colors.green('ok') : cli.colors.red('FAILED'),
          e.rule,
          `${e.file}:${e.line}`,
          e.ok ? e.expected : `expected ${e.expected}, got ${e.actual}`,
        ]);
        const failed = report.examples.filter((e) => !e.ok).length;
        const summary = `${report.examples.length - failed} passed, ${failed} failed`;
        const faults = report.faults.map((f) => printable(formatFault(f)));
        return [
          ...(rows.length > 0 ? [cli.table(['', 'RULE', 'EXAMPLE', 'RESULT'], rows)] : []),
          summary,
          ...faults,
        ].join('\n');
      });
      return report.ok ? 0 : 1;
    }),
  );
};
