/** Loads a policy set, or refuses it whole: one rule that cannot be trusted leaves nothing allowed. */
import { readFile } from 'node:fs/promises';
import { canonicalHash, packageFile } from '../../kernel/index.ts';
import { type Fault, faultsError } from '../../schemas/index.ts';
import { compileCedar, type Overrides, type Tiers } from '../tiers/index.ts';
import { type Engine, type SchemaJson, startEngine } from './engine/cedar.ts';
import { parseRules, type Rule } from './rules/parse.ts';
import { type ProjectFiles, readProject } from './rules/project.ts';
import { type Trial, tryRules } from './rules/trial.ts';
import type { Tried } from './rules/tried.ts';
import { createPolicySet } from './set.ts';
import type { PolicyReport, PolicySet, TestReport } from './types.ts';

export interface PolicyOptions {
  readonly tiers: Tiers;
  /** The project's root, whose `policies/` folder is read. Without it the tiers stand alone. */
  readonly projectDir?: string;
  readonly overrides?: Overrides;
}

export interface LoadOptions extends PolicyOptions {
  /** What has been found in order before, and need not be tried again. */
  readonly tried?: Tried | undefined;
}

/** @throws AgovError POLICY_INVALID with all faults in `details.faults`; CONFIG_INVALID for bad overrides */
export async function loadPolicySet({ tried, ...options }: LoadOptions): Promise<PolicySet> {
  const { set, faults } = await examine(options, tried);
  if (faults.length === 0) return set;
  set[Symbol.dispose]();
  const fix = 'Correct the lines named; until then nothing is allowed. See "agov policy check".';
  throw faultsError('POLICY_INVALID', 'The policy set', faults, fix);
}

/** The same examination, as a report. @throws AgovError CONFIG_INVALID for bad overrides */
export async function checkPolicies(options: PolicyOptions): Promise<PolicyReport> {
  const { set, faults, project, builtin, ruleCount, trial } = await examine(options);
  using _ = set;
  const { results } = trial;
  const counts = { files: project.files.length, rules: ruleCount, examples: results.length, builtin: builtin.length };
  return { ok: faults.length === 0, version: set.version, counts, faults };
}

/** Each example with what was expected and what came. @throws AgovError CONFIG_INVALID for bad overrides */
export async function testPolicies(options: PolicyOptions): Promise<TestReport> {
  const { set, faults, trial } = await examine(options);
  using _ = set;
  return { ok: faults.length === 0, examples: trial.results, faults };
}

interface Examined {
  readonly set: PolicySet;
  readonly project: ProjectFiles;
  readonly builtin: readonly Rule[];
  readonly ruleCount: number;
  readonly trial: Trial;
  readonly faults: readonly Fault[];
}

async function examine({ tiers, projectDir, overrides = {} }: PolicyOptions, tried?: Tried): Promise<Examined> {
  const builtin = compileCedar(tiers, overrides);
  const schema = await readSchema();
  const engine: Engine = await startEngine(schema);
  const project = projectDir === undefined ? { files: [], faults: [] } : await readProject(projectDir);
  const version = canonicalHash({
    tiers: tiers.hash,
    builtin: builtin.map((policy) => policy.text),
    schema,
    project: project.files.map(({ file, text }) => ({ file, text })),
  });
  // Of all that the faults depend on.
  const hash = canonicalHash({
    version,
    program: [await readFile(packageFile('package.json'), 'utf8'), engine.cedar.getCedarVersion()],
    examples: project.files.map(({ examples }) => (examples ? { ...examples } : null)),
  });
  const known = tried?.has(hash) ?? false;
  const parsed = parseRules(engine.cedar, schema, project.files, known);
  const rules = [...builtin, ...parsed.rules];
  const set = createPolicySet({ engine, tiers, rules, version });
  // A set with rules missing would make others look unreachable.
  const early = [...project.faults, ...parsed.faults];
  const trial: Trial =
    early.length > 0 || known ? { results: [], faults: [] } : tryRules(engine, set, project.files, parsed.rules);
  const faults = [...early, ...trial.faults].sort(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column,
  );
  if (faults.length === 0 && !known) tried?.add(hash);
  return { set, project, builtin, ruleCount: parsed.rules.length, trial, faults };
}

/** The JSON form of `builtin/agov.cedarschema`: Cedar reads it many times faster, and a test holds the two together. */
async function readSchema(): Promise<SchemaJson> {
  const text = await readFile(packageFile('builtin/agov.cedarschema.json'), 'utf8');
  return JSON.parse(text) as SchemaJson; // a file of ours; what is wrong in it fails at its first use
}
