/**
 * Helpers for tests of kernels, used by every package and by outside users' own kernels. Not for production code.
 */
export * from './adapters.ts';
export * from './cases.ts';
export * from './compare.ts';
export * from './mutants.ts';
export * from './readbacks.ts';
