/** As much of JSON Schema 2020-12 as ours use, read from the standard and not from our code: an editor’s view of a file. */
type Schema = { readonly [key: string]: unknown } | boolean;

/** Where `value` is not what `schema` says, as paths; empty where it is. A keyword that is not known here throws. */
export function violations(schema: Schema, value: unknown, root: Schema = schema, path = ''): string[] {
  if (typeof schema === 'boolean') return schema ? [] : [path];
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    const check = keywords[keyword];
    if (check === undefined) throw new Error(`The keyword ${keyword} is not known here.`);
    return check({ schema, wanted, value, root, path });
  });
}

interface At {
  readonly schema: Exclude<Schema, boolean>;
  readonly wanted: unknown;
  readonly value: unknown;
  readonly root: Schema;
  readonly path: string;
}

const says = (ok: boolean, path: string): string[] => (ok ? [] : [path || '(whole)']);
const fits = ({ root, path }: At, schema: unknown, value: unknown): boolean =>
  violations(schema as Schema, value, root, path).length === 0;
const record = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'object' ? 'object' : typeof value;
const ignored = (): string[] => [];

const keywords: Readonly<Record<string, (at: At) => string[]>> = {
  ...{ $schema: ignored, $id: ignored, id: ignored, $defs: ignored, title: ignored, description: ignored },
  ...{ default: ignored, examples: ignored, else: ignored },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: ignored,
  $ref: ({ wanted, value, root, path }) => {
    const target = String(wanted)
      .split('/')
      .slice(1)
      .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], root);
    return violations(target as Schema, value, root, path);
  },
  type: ({ wanted, value, path }) => {
    const type = typeOf(value);
    const wants = [wanted].flat();
    return says(wants.includes(type) || (wants.includes('integer') && Number.isInteger(value)), path);
  },
  const: ({ wanted, value, path }) => says(value === wanted, path),
  enum: ({ wanted, value, path }) => says((wanted as unknown[]).includes(value), path),
  pattern: ({ wanted, value, path }) =>
    says(typeof value !== 'string' || new RegExp(String(wanted), 'u').test(value), path),
  minLength: ({ wanted, value, path }) => says(typeof value !== 'string' || value.length >= Number(wanted), path),
  maxLength: ({ wanted, value, path }) => says(typeof value !== 'string' || value.length <= Number(wanted), path),
  minimum: ({ wanted, value, path }) => says(typeof value !== 'number' || value >= Number(wanted), path),
  maximum: ({ wanted, value, path }) => says(typeof value !== 'number' || value <= Number(wanted), path),
  exclusiveMinimum: ({ wanted, value, path }) => says(typeof value !== 'number' || value > Number(wanted), path),
  minItems: ({ wanted, value, path }) => says(!Array.isArray(value) || value.length >= Number(wanted), path),
  maxItems: ({ wanted, value, path }) => says(!Array.isArray(value) || value.length <= Number(wanted), path),
  items: ({ wanted, value, root, path }) =>
    Array.isArray(value) ? value.flatMap((item, i) => violations(wanted as Schema, item, root, `${path}[${i}]`)) : [],
  required: ({ wanted, value, path }) =>
    record(value)
      ? (wanted as string[]).filter((key) => !Object.hasOwn(value, key)).map((key) => `${path}.${key}`)
      : [],
  properties: ({ wanted, value, root, path }) =>
    record(value)
      ? Object.entries(wanted as Record<string, Schema>).flatMap(([key, one]) =>
          Object.hasOwn(value, key) ? violations(one, value[key], root, `${path}.${key}`) : [],
        )
      : [],
  additionalProperties: ({ schema, wanted, value, root, path }) => {
    if (!record(value)) return [];
    const named = Object.keys((schema['properties'] ?? {}) as object);
    const others = Object.keys(value).filter((key) => !named.includes(key));
    return others.flatMap((key) => violations(wanted as Schema, value[key], root, `${path}.${key}`));
  },
  propertyNames: ({ wanted, value, root, path }) =>
    record(value) ? Object.keys(value).flatMap((key) => violations(wanted as Schema, key, root, `${path}.${key}`)) : [],
  anyOf: (at) =>
    says(
      (at.wanted as unknown[]).some((one) => fits(at, one, at.value)),
      at.path,
    ),
  oneOf: (at) => says((at.wanted as unknown[]).filter((one) => fits(at, one, at.value)).length === 1, at.path),
  allOf: ({ wanted, value, root, path }) => (wanted as Schema[]).flatMap((one) => violations(one, value, root, path)),
  not: (at) => says(!fits(at, at.wanted, at.value), at.path),
  if: (at) => {
    const branch = at.schema[fits(at, at.wanted, at.value) ? 'then' : 'else'] as Schema | undefined;
    return branch === undefined ? [] : violations(branch, at.value, at.root, at.path);
  },
};
