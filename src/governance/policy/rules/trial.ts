/** Rules against their examples: each alone, then all together. A rule that decides no example cannot be reached. */
import type { JsonObject } from '../../../kernel/index.ts';
import { type Fault, nearest, readYaml, type YamlPath } from '../../../schemas/index.ts';
import type { Engine } from '../engine/cedar.ts';
import { requestOf } from '../engine/request.ts';
import type { ExampleResult, PolicySet, Question } from '../types.ts';
import { type Example, type Examples, examplesSchema, questionOf } from './examples.ts';
import type { ProjectRule } from './parse.ts';
import { fileFault, type PolicyFile } from './project.ts';

export interface Trial {
  readonly results: readonly ExampleResult[];
  readonly faults: readonly Fault[];
}

type Place = (path: YamlPath, message: string, suggestion?: string) => Fault;
type Kind = ExampleResult['kind'];

/** `set` holds all rules: those under trial and those of the tiers. */
export function tryRules(
  engine: Engine,
  set: PolicySet,
  files: readonly PolicyFile[],
  rules: readonly ProjectRule[],
): Trial {
  const results: ExampleResult[] = [];
  const faults: Fault[] = [];
  for (const file of files) {
    const own = rules.filter((rule) => rule.file === file.file);
    const read = readExamples(file);
    faults.push(...read.faults);
    if (!read.examples) continue;
    const { examples, place } = read;
    for (const name of Object.keys(examples)) {
      if (own.some((rule) => rule.id === name)) continue;
      const suggestion = nearest(
        name,
        own.map((rule) => rule.id),
      );
      faults.push(place([name], `${file.file} has no rule "${name}".`, suggestion));
    }
    for (const rule of own) {
      const tried = tryRule(engine, set, rule, examples[rule.id] ?? { matches: [], ignores: [] }, place);
      results.push(...tried.results);
      faults.push(...tried.faults);
    }
  }
  return { results, faults };
}

function readExamples(file: PolicyFile): { faults: readonly Fault[]; examples?: Examples; place: Place } {
  const name = file.examples?.file ?? file.file.replace(/\.cedar$/, '.examples.yaml');
  const nowhere: Place = (_, message) => fileFault(name, message);
  if (!file.examples) return { faults: [], examples: {}, place: nowhere };
  const parsed = readYaml(examplesSchema, file.examples.text || '{}', name);
  if (!parsed.ok) return { faults: parsed.faults, place: nowhere };
  return { faults: [], examples: parsed.value, place: parsed.fault };
}

function tryRule(engine: Engine, set: PolicySet, rule: ProjectRule, examples: Examples[string], place: Place): Trial {
  using alone = engine.prepare({ [rule.id]: rule.text });
  const results: ExampleResult[] = [];
  const faults: Fault[] = [];
  const winners = new Set<string>();
  let reached = false;

  const tryExample = (kind: Kind, example: Example, i: number): void => {
    const path = [rule.id, kind, i];
    const question = questionOf(example);
    const asked = requestOf(question, alone.needs);
    const answer = asked.ok ? alone.evaluate(asked.request) : { ok: false as const, message: asked.sentence };
    const matched = answer.ok && answer.determining.includes(rule.id);
    const decision = set.decide(question);
    const sentence = complaint(kind, matched, answer) ?? verdictComplaint(example, decision);
    const placed = place(path, sentence ?? '');
    if (sentence) faults.push(placed);
    if (kind === 'matches' && matched) {
      if (decides(rule, decision)) reached = true;
      else for (const id of decision.policies) winners.add(id);
    }
    const word = matched ? 'matches' : 'ignores';
    results.push({
      rule: rule.id,
      kind,
      file: placed.file,
      line: placed.line,
      question: asJson(question),
      expected: example.verdict ? `${kind}, ${example.verdict}` : kind,
      actual: answer.ok ? (example.verdict ? `${word}, ${decision.verdict}` : word) : answer.message,
      ok: sentence === undefined,
    });
  };

  examples.matches.forEach((example, i) => {
    tryExample('matches', example, i);
  });
  examples.ignores.forEach((example, i) => {
    tryExample('ignores', example, i);
  });
  for (const kind of ['matches', 'ignores'] as const) {
    if (examples[kind].length === 0) faults.push(ruleFault(rule, `Rule "${rule.id}" has no example that it ${kind}.`));
  }
  // Only a rule whose examples are in order can be judged unreachable.
  if (faults.length === 0 && !reached) {
    const who = [...winners].sort().join(', ') || 'the deny that holds by default';
    faults.push(ruleFault(rule, `Rule "${rule.id}" decides nothing: no example can reach it: ${who} always wins.`));
  }
  return { results, faults };
}

/** A ceiling that forbids the same makes a project's forbid idle, though Cedar names both. */
function decides(rule: ProjectRule, { policies }: ReturnType<PolicySet['decide']>): boolean {
  if (!policies.includes(rule.id)) return false;
  return rule.effect === 'permit' || !policies.some((id) => id.startsWith('ceiling/'));
}

function complaint(kind: Kind, matched: boolean, answer: { ok: boolean; message?: string }): string | undefined {
  if (!answer.ok) return `This example cannot be judged: ${answer.message}`;
  if (kind === 'matches' && !matched) return 'The rule does not match this example.';
  if (kind === 'ignores' && matched) return 'The rule matches this example, which it is to ignore.';
  return undefined;
}

function verdictComplaint({ verdict }: Example, decision: ReturnType<PolicySet['decide']>): string | undefined {
  if (verdict === undefined || verdict === decision.verdict) return undefined;
  const by = decision.policies.join(', ') || decision.reasons[0];
  return `The verdict is ${decision.verdict}, not ${verdict}: ${by}.`;
}

function ruleFault({ file, line, column }: ProjectRule, message: string): Fault {
  return { file, line, column, path: '', message };
}

/** Questions hold nothing but JSON; the type says less. */
function asJson(question: Question): JsonObject {
  return question as unknown as JsonObject;
}
