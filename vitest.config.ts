import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores: files that start processes and browsers must not crowd each other out. Three at a time take as long.
    maxWorkers: 2,
    // Starting a process for each file, and reading all it imports again, takes longer than most files. What a test changes for its whole process it
    // puts back, also when it fails.
    isolate: false,
    restoreMocks: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
