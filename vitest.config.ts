import { defineConfig } from 'vitest/config';

const report = process.env['AGOV_TEST_REPORT'];

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Processes and databases are real here, and a third of the time is spent waiting for them: one worker more than cores.
    maxWorkers: 3,
    // No test changes what another one reads of a module; loading them all anew for each file took a third of the time.
    isolate: false,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
