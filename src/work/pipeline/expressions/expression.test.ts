import { expect, it } from 'vitest';
import { isAgovError } from '../../../kernel/index.ts';
import { compileExpression, compileTemplate, type Values } from './index.ts';

const scope = {
  params: { name: 'string', n: 'int', list: 'list<string>' },
  stages: { build: { status: 'string', outputs: { count: 'dyn' } } },
} as const;
const values: Values = {
  params: { name: 'x; rm -rf /', n: 2, list: Array.from({ length: 2000 }, (_, i) => `${i}`) },
  stages: { build: { status: 'ok', outputs: { count: 3 } } },
};

const value = (source: string) => {
  const compiled = compileExpression(source, scope);
  if (!compiled.ok) throw new Error(compiled.fault.message);
  return compiled.expression.evaluate(values);
};
const fault = (source: string, expected?: 'bool' | 'list'): string => {
  const compiled = compileExpression(source, scope, expected);
  return compiled.ok ? '' : compiled.fault.message;
};

it.each([
  ['params.n + 1', 3],
  ['stages.build.outputs.count + 1', 4],
  ['params.n > 1 && stages.build.status == "ok"', true],
  ['params.list.filter(x, x == "7")', ['7']],
  ['{"a": [1, 2.5]}', { a: [1, 2.5] }],
  ['json("{\\"n\\": 41}").n + 1', 42],
  ['lines("a\\n\\nb")', ['a', 'b']],
  ['has(stages.build.outputs.count)', true],
  ['stages . build\n.outputs.count', 3],
  ['(stages).build.status', 'ok'],
  ['stages["build"].status', 'ok'],
  ['[1].map(params, params + 1)', [2]],
])('evaluates %s', (source, expected) => {
  expect(value(source)).toEqual(expected);
});

it.each([
  ['params.n + "x"', 'no such overload'],
  ['params.nn', 'reads "nn"'],
  ['process.exit(1)', 'reads "process"'],
  ['params.constructor', 'reads "constructor"'],
  ['params.__proto__', 'reads "__proto__"'],
  ['', 'is empty'],
  ['1 +', 'ends too early'],
  ['x'.repeat(5000), 'over 4096'],
  [`${'('.repeat(60)}1${')'.repeat(60)}`, 'cannot be used'],
])('refuses %s before anything runs', (source, message) => {
  expect(fault(source)).toContain(message);
});

it('refuses a type that the place has no use for', () => {
  expect(fault('params.name', 'bool')).toContain('a string, and a bool');
  expect(fault('params.n', 'list')).toContain('an int, and a list');
  expect(fault('stages.build.outputs.count', 'bool')).toBe('');
});

it.each([
  ['takes for ever', 'params.list.all(a, params.list.all(b, params.list.all(c, a != "no")))', /longer than/],
  ['matches for ever', '(params.name + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!").matches("(a+)+$")', /longer than/],
  ['reads what is not there', 'stages.build.outputs.count.x', /No such key/],
  ['gives what no record holds', 'timestamp("2026-01-01T00:00:00Z")', /cannot be recorded/],
  ['gives half a character', 'json("\\"\\\\ud800\\"")', /half a surrogate/],
  ['gives half a character as a key', 'json("{\\"\\\\ud800\\": 1}")', /half a surrogate/],
  ['gives a key that is a prototype', 'json("{\\"a\\": {\\"__proto__\\": 1}}")', /a key "__proto__" cannot be read/],
  ['gives a key that CEL takes for a type', 'json("{\\"constructor\\": 1}")', /a key "constructor" cannot be read/],
  ['gives what lies deeper than a reader goes', `json("${'['.repeat(40)}${']'.repeat(40)}")`, /deeper than 32/],
  ['exhausts the stack', `json("${'['.repeat(2000)}${']'.repeat(2000)}")`, /cannot be recorded/],
  ['gives a number past all numbers', '9007199254740993', /too large/],
])('ends an expression that %s', (_what, source, why) => {
  const error = (() => {
    try {
      return value(source);
    } catch (thrown) {
      return thrown;
    }
  })();
  if (!isAgovError(error, 'INPUT_INVALID')) throw error;
  expect(error.why).toMatch(why);
});

it('costs what it names of a scope, not what there is', () => {
  const names = Array.from({ length: 5000 }, (_, i) => `s${i}`);
  const stages = Object.fromEntries(names.map((name) => [name, { status: 'string', outputs: { x: 'dyn' } } as const]));
  const compiled = Array.from({ length: 200 }, () => compileExpression('stages.s7.status', { stages }));
  expect(compiled.every(({ ok }) => ok)).toBe(true);
  const unknown = compileExpression('stages.s4999x.status', { stages });
  expect(unknown).toMatchObject({ ok: false, fault: { unknown: 's4999x' } });
}, 10_000);

it('fills a text in, and keeps the type of a value that stands alone', () => {
  const filled = (text: string) => {
    const template = compileTemplate(text, scope);
    if (!('evaluate' in template)) throw new Error(template[0]?.message);
    return template.evaluate(values);
  };
  expect(filled('${{ params.n }}')).toBe(2);
  expect(filled('v${{ params.n }}-${{ params.name }}')).toBe('v2-x; rm -rf /');
  expect(filled('plain')).toBe('plain');
});
