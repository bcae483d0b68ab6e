import { resolve } from 'node:path';
import { graphMermaid } from '../../../../context/status/index.ts';
import { type AddCommands, oneLine } from '../../frame/index.ts';
import { looking } from './looking.ts';
import { phaseColor, symbols } from './phases.ts';

export const graphCommand: AddCommands = (status, define) => {
  define(
    status
      .command('graph [dir]')
      .description('which directory waits for which')
      .option('--mermaid', 'as Mermaid, for pages that draw it'),
    (cli, [dir = '.'], { mermaid }) =>
      cli.withApp(async (app) => {
        const status = await app.status();
        using look = looking(cli, app.env);
        const graph = await status.graph(resolve(cli.cwd, dir), look.options);
        look[Symbol.dispose]();
        const drawn = graphMermaid(graph);
        cli.emit({ ...graph, mermaid: drawn }, () => {
          if (mermaid) return drawn;
          if (graph.edges.length === 0) return 'Nothing waits for anything.';
          const phases = new Map(graph.nodes.map(({ path, phase }) => [path, phase]));
          const node = (path: string): string => {
            const phase = phases.get(path) ?? 'unknown';
            return `${phaseColor(phase, cli.colors)(symbols[phase])} ${oneLine(path)}`;
          };
          const circles = graph.cycles.map((circle) =>
            cli.colors.red(`circle: ${circle.map(oneLine).join(' → ')} → …`),
          );
          const sources = [...new Set(graph.edges.map(({ from }) => from))];
          const lines = sources.flatMap((from) => [
            node(from),
            ...graph.edges.filter((edge) => edge.from === from).map(({ to }) => `  → ${node(to)}`),
          ]);
          return [...lines, ...circles].join('\n');
        });
      }),
    ['agov status graph', 'agov status graph services/api --mermaid'],
  );
};
