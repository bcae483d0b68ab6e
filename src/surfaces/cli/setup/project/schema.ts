import { readdirSync, readFileSync } from 'node:fs';
import { AgovError, packageFile } from '../../../../kernel/index.ts';
import { nearest } from '../../../../schemas/index.ts';
import type { AddCommands } from '../../frame/index.ts';

export const schemaCommand: AddCommands = (program, define) => {
  define(
    program.command('schema [name]').description('print the JSON Schema of a file that people write, for an editor'),
    async (cli, [name]) => {
      const names = schemaNames();
      if (name === undefined) {
        cli.emit(names, () => names.join('\n'));
        return;
      }
      if (!names.includes(name)) {
        const hint = nearest(name, names);
        const fix = hint === undefined ? `There are ${names.join(', ')}.` : `Did you mean "${hint}"?`;
        throw new AgovError('NOT_FOUND', { what: `There is no schema "${name.slice(0, 80)}".`, fix });
      }
      const text = schemaText(name);
      cli.emit(JSON.parse(text), () => text);
    },
    ['agov schema', 'agov schema pipeline > pipeline.schema.json'],
  );
};

export function schemaNames(): readonly string[] {
  const files = readdirSync(packageFile('builtin/schemas'));
  return files.flatMap((file) => /^([a-z]+)\.schema\.json$/.exec(file)?.[1] ?? []).sort();
}

export function schemaText(name: string): string {
  return readFileSync(packageFile(`builtin/schemas/${name}.schema.json`), 'utf8');
}
