export * from './batch.ts';
export * from './buffers.ts';
export * from './device.ts';
export * from './errors.ts';
export type { AdapterChoice, AdapterDescription } from './host.ts';
export * from './kernel.ts';
export * from './numeric.ts';
