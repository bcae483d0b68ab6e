import type { Command } from 'commander';
import { AgovError } from '../../../../kernel/index.ts';
import { shippedTemplates } from '../../../../work/pipeline/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { schemaNames } from './schema.ts';

export const completionCommand: AddCommands = (program, define) => {
  define(
    program.command('completion <shell>').description('print a completion script: bash, zsh or fish'),
    async (cli, [shell = '']) => {
      const script = scripts[shell]?.(commandTree(program));
      if (script === undefined) {
        throw new AgovError('USAGE', { what: `There is no completion for "${shell}".`, fix: 'Use bash, zsh or fish.' });
      }
      cli.emit({ shell, script }, () => script);
    },
    ['source <(agov completion bash)', 'agov completion fish > ~/.config/fish/completions/agov.fish'],
  );
};

/** What may follow a path of commands: `agov ledger` to its subcommands and options. */
interface Branch {
  readonly path: string;
  readonly words: readonly string[];
}

/** What a command may be given, where that can be told. */
const values: Readonly<Record<string, () => readonly string[]>> = {
  'pipeline new': shippedTemplates,
  schema: schemaNames,
};

function commandTree(command: Command, path = ''): Branch[] {
  const options = command.options.map((option) => option.long).filter((long) => long !== undefined);
  const names = command.commands.map((child) => child.name());
  const takes = values[path]?.() ?? [];
  return [
    {
      path,
      words: [...names, ...takes, ...options, '--json', '--help'].filter((word, i, all) => all.indexOf(word) === i),
    },
    ...command.commands.flatMap((child) => commandTree(child, path === '' ? child.name() : `${path} ${child.name()}`)),
  ];
}

/** Commands that stand alone as well. `status` is one of fish’s own. */
const alone = ['checkpoint', 'memory', 'pipeline', 'status'];
const aloneInFish = alone.filter((name) => name !== 'status');

const scripts: Readonly<Record<string, (tree: readonly Branch[]) => string>> = {
  bash: (tree) => `# bash completion for agov
_agov() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path="" word next
  local known=${JSON.stringify(`|${tree.map(({ path }) => path).join('|')}|`)}
  case "\${COMP_WORDS[0]##*/}" in ${alone.join('|')}) path="\${COMP_WORDS[0]##*/}" ;; esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [ "$word" = -- ] && return
    next="\${path:+$path }$word"
    # A name, a file, the value of an option: it leads nowhere, and what follows is still the command's.
    case "$known" in *"|$next|"*) path="$next" ;; esac
  done
  case "$path" in
${tree.map(({ path, words }) => `    ${JSON.stringify(path)}) COMPREPLY=($(compgen -W ${JSON.stringify(words.join(' '))} -- "$cur")) ;;`).join('\n')}
  esac
}
complete -o default -F _agov agov ${alone.join(' ')}
`,
  zsh: (tree) => `#compdef agov ${alone.join(' ')}
autoload -U +X bashcompinit && bashcompinit
${scripts['bash']?.(tree) ?? ''}`,
  fish: (tree) =>
    `# fish completion for agov\ncomplete -c agov -f\n${tree
      .flatMap(({ path, words }) => {
        const seen = path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.split(' ').at(-1)}`;
        const [first = '', second] = path.split(' ');
        const own = second === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${second}`;
        return words.flatMap((word) => {
          const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
          const line = `complete -c agov -n '${seen}' ${what}`;
          return aloneInFish.includes(first) ? [line, `complete -c ${first} -n '${own}' ${what}`] : [line];
        });
      })
      .join('\n')}\n`,
};
