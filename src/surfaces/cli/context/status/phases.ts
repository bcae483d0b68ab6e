/** How phases look, here and in the tree of all. */
import type { Phase } from '../../../../schemas/index.ts';
import type { Cli } from '../../frame/index.ts';

export const symbols: Readonly<Record<Phase | 'unknown', string>> = {
  'not-started': '·',
  'in-progress': '▸',
  blocked: '✗',
  review: '?',
  complete: '✓',
  unknown: '!',
};

export function phaseColor(
  phase: Phase | 'unknown',
  { dim, cyan, red, yellow, green }: Cli['colors'],
): (text: string) => string {
  return { 'not-started': dim, 'in-progress': cyan, blocked: red, review: yellow, complete: green, unknown: red }[
    phase
  ];
}
