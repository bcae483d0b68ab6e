/** What waits for what, for a terminal and as Mermaid. */
import type { Phase } from '../../../schemas/index.ts';
import { cycles, dependencyPath, shownPath } from '../sweep/index.ts';
import type { Directory } from '../tree/index.ts';

export interface GraphNode {
  readonly path: string;
  /** `unknown` where no status can be read, or no such directory is there. */
  readonly phase: Phase | 'unknown';
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
  readonly cycles: readonly (readonly string[])[];
}

/** `within`: only what depends from there, and what it depends on. */
export function graphOf(directories: readonly Directory[], within: string): Graph {
  const phase = new Map(directories.map(({ path, status }) => [path, status?.phase]));
  const inside = (path: string): boolean => within === '' || path === within || path.startsWith(`${within}/`);
  const edges = directories.flatMap(({ path, status }) =>
    (inside(path) ? (status?.depends ?? []) : []).map((written) => ({
      from: path,
      to: dependencyPath(path, written) ?? written,
    })),
  );
  const nodes = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].sort();
  return {
    nodes: nodes.map((path) => ({ path: shownPath(path), phase: phase.get(path) ?? 'unknown' })),
    edges: edges.map(({ from, to }) => ({ from: shownPath(from), to: shownPath(to) })),
    cycles: cycles(directories)
      .filter((circle) => circle.some(inside))
      .map((circle) => circle.map(shownPath)),
  };
}

export function graphMermaid({ nodes, edges }: Graph): string {
  const ids = new Map(nodes.map(({ path }, i) => [path, `n${i}`]));
  const lines = nodes.map(({ path, phase }) => `  ${ids.get(path)}["${label(path)}<br/>${phase}"]:::${phase}`);
  const arrows = edges.map(({ from, to }) => `  ${ids.get(from)} --> ${ids.get(to)}`);
  const styles = [
    '  classDef complete fill:#d4f7d4,color:#000',
    '  classDef blocked fill:#f9d0d0,color:#000',
    '  classDef in-progress fill:#d0e4f9,color:#000',
    '  classDef review fill:#fdf0c4,color:#000',
  ];
  return ['flowchart LR', ...lines, ...arrows, ...styles].join('\n');
}

/** A directory's name may be anything, and a label is markup. */
function label(text: string): string {
  return text.replace(/[^A-Za-z0-9 _./-]/gu, (character) => `#${character.codePointAt(0)};`);
}
