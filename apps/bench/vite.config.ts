import { defineConfig } from 'vite';

// `onnxruntime-web-use-extern-wasm`: the runtime's wasm stays where it is installed, and the server hands it out.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  resolve: {
    conditions: [
      'turnproof-source',
      'onnxruntime-web-use-extern-wasm',
      'browser',
      'import',
      'module',
      'default',
    ],
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: 'dist/web', emptyOutDir: true, target: 'es2023', chunkSizeWarningLimit: 2000 },
});
