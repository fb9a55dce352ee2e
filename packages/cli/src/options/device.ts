/** Where the work is done: --adapter, --provider, --threads. */
import type { Provider } from '@turnproof/certify';
import type { OptionGroup, OptionSpec, Values } from './values.ts';

const ADAPTER: OptionSpec = {
  name: 'adapter',
  value: 'auto|hardware|software|NAME',
  help: 'GPU for the kernels; NAME: part of its name, lavapipe or swiftshader',
  default: 'auto',
};

/** For commands that run no classifier. */
export const adapterOptions: OptionGroup = { heading: 'Device:', options: [ADAPTER] };

export const deviceOptions: OptionGroup = {
  heading: 'Device:',
  options: [
    ADAPTER,
    {
      name: 'provider',
      value: 'auto|webgpu|wasm',
      help: 'what runs the classifier; auto: webgpu on hardware, wasm beside a software adapter',
      default: 'auto',
    },
    { name: 'threads', value: 'N', help: 'threads of the wasm provider (default: one a core, at most 8)' },
  ],
};

export interface DeviceChoice {
  readonly adapter: string;
  readonly provider: 'auto' | Provider;
  readonly threads: number | undefined;
}

export function readDevice(values: Values): DeviceChoice {
  return {
    adapter: values.text('adapter') ?? 'auto',
    provider: values.choice('provider', ['auto', 'webgpu', 'wasm']) ?? 'auto',
    threads: values.whole('threads', 1),
  };
}
