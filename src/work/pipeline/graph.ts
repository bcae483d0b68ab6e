/** A pipeline as a picture: Mermaid, or lines for a terminal. */
import type { Pipeline, Stage } from '../../schemas/index.ts';
import { levelsOf } from './language/index.ts';

/** A flow chart: rounded what runs once, stacked what runs for several items, hexagons what asks an operator. */
export function graphMermaid({ stages, finally: final }: Pipeline): string {
  const lines = ['flowchart LR'];
  for (const [name, stage] of Object.entries(stages)) lines.push(`  ${node(name, stage)}`);
  for (const [name, { needs }] of Object.entries(stages)) {
    for (const need of needs) lines.push(`  ${need} --> ${name}`);
  }
  if (Object.keys(final).length > 0) {
    lines.push('  subgraph finally');
    for (const [name, stage] of Object.entries(final)) lines.push(`    ${node(name, stage)}`);
    for (const [name, { needs }] of Object.entries(final)) {
      for (const need of needs) lines.push(`    ${need} --> ${name}`);
    }
    lines.push('  end');
  }
  return lines.join('\n');
}

/** One line a stage, in steps: what stands in one step can run side by side. */
export function graphLines(pipeline: Pipeline): string[] {
  const steps = (stages: Pipeline['stages'], head: (step: number) => string): string[] =>
    levelsOf(stages).flatMap((names, step) => [
      head(step),
      ...names.map((name) => {
        const { agent, needs, ...stage } = stages[name] as Stage; // of the very stages
        const after = needs.length === 0 ? '' : `  ← ${needs.join(', ')}`;
        return `  ${name}  (${agent})${marks(stage)}${after}`;
      }),
    ]);
  return [
    ...steps(pipeline.stages, (step) => `Step ${step + 1}`),
    ...steps(pipeline.finally, (step) => (step === 0 ? 'Finally' : `Finally, step ${step + 1}`)),
  ];
}

type Marked = Pick<Stage, 'foreach' | 'matrix' | 'gate' | 'when' | 'compensate'>;

function marks({ foreach, matrix, gate, when, compensate }: Marked): string {
  const said = [
    ...(foreach === undefined && matrix === undefined ? [] : ['for each']),
    ...(when === undefined ? [] : ['if']),
    ...(gate === undefined ? [] : ['asks']),
    ...(compensate === undefined ? [] : ['can be undone']),
  ];
  return said.length === 0 ? '' : `  [${said.join(', ')}]`;
}

/** Names are of letters, digits and dashes alone, so that nothing in them is markup. */
function node(name: string, stage: Stage): string {
  const label = `"${name}<br/>${stage.agent}"`;
  if (stage.gate !== undefined) return `${name}{{${label}}}`;
  return stage.foreach !== undefined || stage.matrix !== undefined ? `${name}[[${label}]]` : `${name}(${label})`;
}
