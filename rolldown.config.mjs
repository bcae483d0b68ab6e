/**
 * `dist/` is a bundle: two hundred small modules cost a command more than all that it does. What a command does not need
 * stays in chunks of its own, loaded when it is asked for. The agent library is a bundle of its own: it is shown inside
 * sandboxes, and nothing else of agov’s is.
 */
import { rmSync } from 'node:fs';
import { isolatedDeclarationPlugin } from 'rolldown/experimental';

// Not by each bundle: two of them share a folder, and the second would take the first one's files away.
rmSync('dist', { recursive: true, force: true });

const main = {
  input: {
    main: 'src/main.ts',
    // Commands that stand alone, each as `package.json` names it.
    checkpoint: 'src/commands/checkpoint.ts',
    memory: 'src/commands/memory.ts',
    pipeline: 'src/commands/pipeline.ts',
    status: 'src/commands/status.ts',
    relay: 'src/adapters/sandbox/bubblewrap/relay.ts',
  },
  platform: 'node',
  // They find their WebAssembly and their library beside themselves, and tables are large.
  external: [/^@cedar-policy\//, 'sqlite-vec', /^gpt-tokenizer\//],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    // Two folders below the root, as `src/kernel/package.ts` needs it.
    chunkFileNames: 'chunks/[name]-[hash].js',
  },
};

const library = 'src/agent-client';
const agent = {
  input: {
    index: `${library}/index.ts`,
    program: `${library}/program.ts`,
    function: `${library}/function.ts`,
  },
  platform: 'node',
  plugins: [isolatedDeclarationPlugin()],
  // Beside no package.json that would say what a .js is.
  output: { dir: 'dist/agent', format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
};

/** The agents that come with agov lie in the library, since they run where it is shown, and nothing else of ours is. */
const shipped = {
  input: Object.fromEntries(
    ['observer', 'executor', 'admin'].map((name) => [name, `src/work/agents/shipped/${name}/index.ts`]),
  ),
  platform: 'node',
  output: { ...agent.output },
};

// biome-ignore lint/style/noDefaultExport: rolldown reads the default export
export default [main, agent, shipped];
