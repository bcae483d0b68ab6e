/** A pipeline as a picture: Mermaid, or lines for a terminal. */
import type { Pipeline, Stage } from '../../../schemas/index.ts';
import { callOf, levelsOf, localName, waitsOf } from '../language/index.ts';

/**
 * A flow chart: rounded what runs once, stacked what runs for several items, hexagons what a gate stands before. What came of
 * a template is drawn in a frame of its own.
 */
export function graphMermaid(pipeline: Pipeline): string {
  const { stages, finally: final } = pipeline;
  const lines = ['flowchart LR', ...drawn(pipeline, stages, '', '  '), ...arrows(stages, '  ')];
  if (Object.keys(final).length > 0) {
    lines.push('  subgraph finally', ...drawn(pipeline, final, '', '    '), ...arrows(final, '    '), '  end');
  }
  return lines.join('\n');
}

/** What the template of `call` has, or where that is empty the file itself; templates inside it with theirs. */
function drawn(pipeline: Pipeline, stages: Pipeline['stages'], call: string, indent: string): string[] {
  const under = call === '' ? '' : `${call}.`;
  const members = Object.keys(stages).flatMap((name) =>
    name.startsWith(under) ? [under + (name.slice(under.length).split('.')[0] ?? '')] : [],
  );
  return [...new Set(members)].flatMap((name) => {
    const stage = stages[name];
    if (stage) return [`${indent}${node(name, stage)}`];
    const title = `"${localName(name)}: ${callOf(pipeline, name)?.template.replaceAll(/["#]/g, ' ') ?? ''}"`;
    return [`${indent}subgraph ${id(name)}[${title}]`, ...drawn(pipeline, stages, name, `${indent}  `), `${indent}end`];
  });
}

function arrows(stages: Pipeline['stages'], indent: string): string[] {
  return Object.entries(stages).flatMap(([name, { needs }]) =>
    needs.map((need) => `${indent}${id(need)} --> ${id(name)}`),
  );
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

type Marked = Pick<Stage, 'foreach' | 'matrix' | 'gate' | 'locks' | 'when' | 'compensate'>;

function marks({ foreach, matrix, gate, locks, when, compensate }: Marked): string {
  const said = [
    ...(foreach === undefined && matrix === undefined ? [] : ['for each']),
    ...(when === undefined ? [] : ['if']),
    ...waitsOf({ gate, locks }),
    ...(compensate === undefined ? [] : ['can be undone']),
  ];
  return said.length === 0 ? '' : `  [${said.join(', ')}]`;
}

/** Names are of letters, digits, dashes and dots alone, so that nothing in them is markup. */
function node(name: string, stage: Stage): string {
  const label = `"${localName(name)}<br/>${stage.agent}"`;
  if (stage.gate !== undefined) return `${id(name)}{{${label}}}`;
  return stage.foreach !== undefined || stage.matrix !== undefined
    ? `${id(name)}[[${label}]]`
    : `${id(name)}(${label})`;
}

/** No name as written has a `_`. */
function id(name: string): string {
  return name.replaceAll('.', '__');
}
