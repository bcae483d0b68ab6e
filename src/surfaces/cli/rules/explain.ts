import { AgovError, type Json } from '../../../kernel/index.ts';
import { type Action, actionSchema, actions, type Facts, nearest } from '../../../schemas/index.ts';
import { type AddCommands, printable } from '../frame/index.ts';

export const explainCommand: AddCommands = (program, define) => {
  define(
    program
      .command('explain <action> <resource>')
      .description(
        'the verdict on an intent, the policies behind it, and what would have to be different; changes nothing',
      )
      .requiredOption('--agent <name>', 'whose intent')
      .option('--arg <key=value...>', 'arguments of the intent; a value may be JSON')
      .option('--fact <key=value...>', 'what a tool would find out: ownBranch=true, plan={"environment":"dev",…}')
      .option('--approvals <count>', 'as if so many operators had approved', '0')
      .option('--workspace <dir>', 'the folder it would work in'),
    (cli, [action = '', resource = ''], options) =>
      cli.withApp(async (app) => {
        const parsed = actionSchema.safeParse(action);
        if (!parsed.success) {
          const hint = nearest(action, actions);
          throw new AgovError('USAGE', {
            what: `"${action}" is not an action.`,
            fix: hint ? `Did you mean ${hint}?` : `Actions are ${actions.join(', ')}.`,
          });
        }
        const agent = await (await app.roster()).get(options['agent']);
        const workspace = await app.workspace(options['workspace'] ?? '.');
        const explanation = await (await app.governor()).explain(
          { agent: agent.name, run: 'explain', workspace },
          {
            action: parsed.data,
            resource,
            args: { ...impliedArgs(parsed.data, resource), ...parsePairs(options['arg'] ?? []) },
          },
          {
            // Facts that a tool would supply; the schema of the policy engine refuses what does not fit.
            facts: parsePairs(options['fact'] ?? []) as Facts,
            approvals: Number(options['approvals']) || 0,
          },
        );
        cli.emit(explanation, () => {
          const lines = explanation.sentences.map(printable);
          const texts = explanation.determining.map(
            (p) => `\n${cli.colors.dim(`${p.id}${p.file ? `  ${p.file}:${p.line}` : ''}`)}\n${p.text}`,
          );
          return [...lines, ...texts].join('\n');
        });
      }),
    [
      'agov explain --agent reader fs.write README.md',
      'agov explain --agent builder process.exec npm --arg argv=\'["npm","test"]\'',
    ],
  );
};

/** A program without further arguments, unless `--arg argv=…` says more. */
function impliedArgs(action: Action, resource: string): Record<string, Json> {
  return action === 'process.exec' ? { argv: [resource] } : {};
}

function parsePairs(pairs: readonly string[]): Record<string, Json> {
  const entries = pairs.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new AgovError('USAGE', { what: `"${pair}" is not key=value.`, fix: 'Write --arg key=value' });
    return [pair.slice(0, at), parseValue(pair.slice(at + 1))] as const;
  });
  return Object.fromEntries(entries);
}

/** JSON where it is JSON, else the text itself. */
function parseValue(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text; // plain words are the usual case
  }
}
