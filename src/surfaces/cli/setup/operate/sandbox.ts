import { AgovError } from '../../../../kernel/index.ts';
import type { AddCommands } from '../../frame/index.ts';

export const sandboxCommand: AddCommands = (program, define) => {
  const sandbox = program.command('sandbox').description('what contains the agents');

  define(
    sandbox.command('check').description('try the sandbox with a real run, and say what is missing'),
    (cli) =>
      cli.withApp(async (app) => {
        const health = await app.sandbox.health();
        if (!health.ok) {
          throw new AgovError('SANDBOX_MISSING', {
            what: 'The sandbox does not work on this machine.',
            why: health.detail,
            fix: 'Until then agents do not run, unless agov.yaml says "sandbox: none".',
          });
        }
        cli.emit({ kind: app.sandbox.kind, ...health }, () => `${app.sandbox.kind}: ${health.detail}`);
      }),
    ['agov sandbox check'],
  );
};
