import { defineConfig } from 'vitest/config';

// Tests read the packages' sources, not dist: the condition is the one package.json's `exports` name.
const conditions = ['turnproof-source', 'node', 'import', 'module', 'default'];

/** The only limit, for machines however slow: a test that passes it hangs. */
const LIMIT_MS = 60 * 60_000;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['{packages,apps,examples}/*/{src,test}/**/*.test.ts'],
    setupFiles: ['scripts/fuzz-seed.mjs'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: LIMIT_MS,
    hookTimeout: LIMIT_MS,
    teardownTimeout: LIMIT_MS,
  },
});
