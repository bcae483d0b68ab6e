import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// A fork copies the tables of all memory that the forker has: the workers start thousands of processes, and with what C
// code has freed given back at once they have a third less. In force for the processes that are started from here on.
process.env['MALLOC_ARENA_MAX'] ??= '1';
process.env['MALLOC_TRIM_THRESHOLD_'] ??= '262144';
process.env['MALLOC_MMAP_THRESHOLD_'] ??= '262144';

const report = process.env['AGOV_TEST_REPORT'];

/** Those that start processes take the longest: a checkout that has never run them begins with them too. */
class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const slow = ({ moduleId }: TestSpecification): boolean => /\/test\/(?:behaviour\/|readme)/.test(moduleId);
    return [...sorted.filter(slow), ...sorted.filter((one) => !slow(one))];
  }
}

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Processes and databases are real here, and a third of the time is spent waiting for them: one worker more than cores.
    maxWorkers: 4,
    // No test changes what another one reads of a module; loading them all anew for each file took a third of the time.
    isolate: false,
    sequence: { sequencer: SlowestFirst },
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
});
