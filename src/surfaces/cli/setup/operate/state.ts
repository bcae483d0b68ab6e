import type { AddCommands } from '../../frame/index.ts';

export const stateCommands: AddCommands = (program, define) => {
  const state = program.command('state').description('the shared state, which is rebuilt from the ledger when lost');

  define(
    state.command('rebuild').description('set a damaged state file aside and rebuild it from the ledger'),
    (cli) =>
      cli.withApp(async (app) => {
        const rebuilt = await app.rebuildState();
        cli.emit(
          rebuilt,
          () =>
            `Rebuilt the state from the ledger: ${rebuilt.agents} agents.${rebuilt.aside ? ` The old file is ${rebuilt.aside}` : ''}`,
        );
      }),
    ['agov state rebuild'],
  );
};
