/** What a run is given from outside, against what its pipeline declares. */
import { AgovError, type Json, type JsonObject } from '../../../kernel/index.ts';
import { nearest, type Parameter, type PipelineFile } from '../../../schemas/index.ts';
import type { Report } from './check/report.ts';

export type Parameters = JsonObject;

/** A default that does not fit its own declaration is the author's fault, and found before any run. */
export function checkParameters({ parameters }: Pick<PipelineFile, 'parameters'>, report: Report): void {
  for (const [name, parameter] of Object.entries(parameters)) {
    const at = ['parameters', name];
    const { default: fallback, choices, type } = parameter;
    const why = fallback === undefined ? undefined : misfit(parameter, fallback);
    if (why) report([...at, 'default'], `The default of "${name}" ${why}.`);
    if (choices && (type === 'list' || type === 'bool' || type === 'secret')) {
      report([...at, 'choices'], `Choices are for texts and numbers, not for type "${type}".`);
    }
  }
}

/** Of a pipeline or a template. */
type Taker = Pick<PipelineFile, 'name' | 'parameters'>;

/** Defaults filled in; `given` as text, as a command line has it. @throws AgovError INPUT_INVALID */
export function readParameters(taker: Taker, given: Readonly<Record<string, string>>): Parameters {
  const values = readGiven(taker, given);
  return Object.fromEntries(
    Object.entries(taker.parameters).map(([name, { default: fallback }]) => {
      const value = Object.hasOwn(values, name) ? values[name] : fallback;
      if (value === undefined) {
        throw invalid(`The parameter "${name}" is missing.`, `Give it: --param ${name}=VALUE`);
      }
      return [name, value];
    }),
  );
}

/** Those alone that are given. @throws AgovError INPUT_INVALID */
export function readGiven({ name: taker, parameters }: Taker, given: Readonly<Record<string, string>>): Parameters {
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => {
      const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
      if (!parameter) {
        const hint = nearest(name, Object.keys(parameters));
        const fix = hint ? `Did you mean "${hint}"?` : listed(parameters);
        throw invalid(`"${taker}" has no parameter "${name}".`, fix);
      }
      const value = read(name, parameter, text);
      const why = misfit(parameter, value);
      if (why) throw invalid(`The parameter "${name}" ${why}.`, `Give another: --param ${name}=VALUE`);
      return [name, value];
    }),
  );
}

function read(name: string, { type }: Parameter, text: string): Json {
  switch (type) {
    case 'int':
    case 'number':
      return text.trim() === '' ? text : Number(text);
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'list':
      return text === '' ? [] : text.split(',');
    case 'string':
      return text;
    case 'secret':
      if (/^[\x21-\x7e]{1,200}$/.test(text)) return text;
      throw invalid(
        `The parameter "${name}" must be the path of a secret.`,
        'Store it with "agov secret set", and give its path.',
      );
  }
}

/** Why `value` is none of the parameter's; the value itself is not told, since people paste passwords. */
export function misfit({ type, choices }: Parameter, value: Json): string | undefined {
  const fits = {
    string: typeof value === 'string' && value.length <= 8192,
    secret: typeof value === 'string',
    int: Number.isSafeInteger(value),
    number: typeof value === 'number' && Number.isFinite(value),
    bool: typeof value === 'boolean',
    list: Array.isArray(value) && value.length <= 1000 && value.every((item) => typeof item === 'string'),
  };
  if (!fits[type]) return `must be ${words[type]}`;
  if (choices && !choices.some((choice) => choice === value)) return `must be one of ${choices.join(', ')}`;
  return undefined;
}

const words: Readonly<Record<Parameter['type'], string>> = {
  string: 'a text of at most 8,192 characters',
  secret: 'the path of a secret',
  int: 'a whole number',
  number: 'a number',
  bool: 'true or false',
  list: 'a list of at most 1,000 texts',
};

function listed(parameters: PipelineFile['parameters']): string {
  const names = Object.keys(parameters);
  return names.length === 0 ? 'It takes none.' : `It takes ${names.join(', ')}.`;
}

function invalid(what: string, fix: string): AgovError {
  return new AgovError('INPUT_INVALID', { what, fix });
}
