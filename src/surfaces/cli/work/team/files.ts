import { relative, resolve } from 'node:path';
import type { App } from '../../../../app/index.ts';
import { AgovError, isAgovError } from '../../../../kernel/index.ts';
import { type Fault, showFault } from '../../../../schemas/index.ts';
import { checkTeam, readTeam, teamFile, teamFolder, teamNames } from '../../../../work/teams/index.ts';
import { type AddCommands, printable } from '../../frame/index.ts';

export const validateCommand: AddCommands = (team, define) => {
  define(
    team.command('validate [files...]').description('every fault of teams, with line and column; by default of all'),
    (cli, given) =>
      cli.withApp(async (app) => {
        const { root } = app.project;
        const files =
          given.length > 0
            ? given.map((file) => resolve(cli.cwd, file))
            : teamNames(root).map((name) => teamFile(root, name));
        if (files.length === 0)
          throw new AgovError('NOT_FOUND', {
            what: `There are no teams in ${teamFolder}/.`,
            fix: 'Write one: docs/guide/teams.md',
          });
        const checked = files.map((file) => checkOne(app, file));
        const faults = checked.flatMap((one) => one.faults);
        cli.emit({ ok: faults.length === 0, files: checked.map(({ file }) => file), faults }, () =>
          checked
            .flatMap(({ file, faults: own, text }) =>
              own.length === 0
                ? [`${cli.colors.green('ok')}: ${file}`]
                : own.map((fault) => printable(showFault(fault, text))),
            )
            .join('\n'),
        );
        return faults.length === 0 ? 0 : 1;
      }),
    ['agov team validate', 'agov team validate teams/release.yaml'],
  );
};

export const listCommand: AddCommands = (team, define) => {
  define(
    team.command('list').description('the teams of the project'),
    (cli) =>
      cli.withApp(async (app) => {
        const { root } = app.project;
        const teams = teamNames(root).map((name) => {
          const { plan, faults } = checkOne(app, teamFile(root, name));
          if (!plan) return { name, faults: faults.length };
          const { lead, strategy, members } = plan.value;
          return {
            name,
            lead,
            strategy,
            roles: Object.entries(members).map(([role, { count }]) => (count === 1 ? role : `${role} ×${count}`)),
            faults: 0,
          };
        });
        cli.emit(teams, () => {
          if (teams.length === 0) return `No teams yet. Write one in ${teamFolder}/.`;
          const rows = teams.map(({ name, lead, strategy, roles, faults }) => [
            name,
            lead ?? '',
            strategy ?? cli.colors.red(`${faults} faults`),
            roles?.join(', ') ?? '',
          ]);
          return cli.table(['TEAM', 'LEAD', 'STRATEGY', 'ROLES'], rows);
        });
      }),
    ['agov team list'],
  );
};

function checkOne(app: App, path: string) {
  const file = relative(app.project.root, path);
  try {
    const text = readTeam(app.project.root, path);
    const result = checkTeam(text, path, app.knownToTeams);
    return result.ok
      ? { file, faults: [], text, plan: result.plan }
      : { file, faults: result.faults, text, plan: undefined };
  } catch (error) {
    if (!isAgovError(error)) throw error;
    const message = [error.what, error.why].filter(Boolean).join(' ');
    const fault: Fault = { file, line: 1, column: 1, path: '', message };
    return { file, faults: [fault], text: '', plan: undefined };
  }
}
