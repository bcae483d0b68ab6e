/**
 * `dist/` is a bundle: two hundred small modules cost a command more than all that it does. What a command does not need
 * stays in chunks of its own, loaded when it is asked for.
 */
// biome-ignore lint/style/noDefaultExport: rolldown reads the default export
export default {
  input: { main: 'src/main.ts', relay: 'src/adapters/sandbox/bubblewrap/relay.ts' },
  platform: 'node',
  // It finds its WebAssembly beside itself.
  external: [/^@cedar-policy\//],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    // Two folders below the root, as `src/kernel/package.ts` needs it.
    chunkFileNames: 'chunks/[name]-[hash].js',
  },
};
