import { defineConfig } from 'vitest/config';

// Tests read the packages' sources, not dist: the condition is the one package.json's `exports` name.
const conditions = ['turnproof-source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['{packages,apps,examples}/*/{src,test}/**/*.test.ts'],
    setupFiles: ['scripts/fuzz-seed.mjs'],
    pool: 'forks',
    maxWorkers: 2,
    // Software adapters compile pipelines in seconds; a hang is caught by CI's own limit.
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
