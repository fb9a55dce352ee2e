/**
 * What every host can say of a device.
 */
import type { Gpu } from '@turnproof/core';
import type { Circumstances } from './result.ts';

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupsPerDimension',
] as const;

export function deviceFacts({
  adapter,
  device,
}: Pick<Gpu, 'adapter' | 'device'>): Omit<
  Circumstances,
  'runtime' | 'platform' | 'commit' | 'modified' | 'date'
> {
  return {
    adapter: adapter.name,
    driver: adapter.description,
    adapterKind: adapter.kind,
    cores: globalThis.navigator?.hardwareConcurrency ?? 1,
    limits: Object.fromEntries(LIMITS.map((name) => [name, device.limits[name]])),
    features: [...device.features].sort(),
  };
}
