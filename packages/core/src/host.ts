/**
 * What a host (Node, browser) must provide: an adapter, and the reason why this one.
 */
import { TurnproofError } from './errors.ts';

/** `auto`: hardware, else an installed software driver, else the packaged one. Any other word: part of a name. */
export type AdapterChoice = 'auto' | 'hardware' | 'software' | (string & {});

export interface AdapterDescription {
  /** Such as «NVIDIA H200» or «llvmpipe (LLVM 15.0.6, 256 bits)». */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** The driver's own words. */
  readonly description: string;
  readonly kind: 'hardware' | 'software';
  /** Results may be compared bit by bit only within one class: the driver that rounds. */
  readonly adapterClass: string;
}

export interface OpenedAdapter {
  readonly adapter: GPUAdapter;
  readonly description: AdapterDescription;
  /** Why this adapter and not another, for `doctor` and the log. */
  readonly reason: string;
}

export interface Host {
  open(choice: AdapterChoice): Promise<OpenedAdapter>;
  /** Waits for the GPU without taking the processor away from those who need it. */
  wait<T>(work: Promise<T>): Promise<T>;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|warp|basic render/i;

export function describeAdapter(adapter: GPUAdapter): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  const words = `${vendor} ${architecture} ${device} ${description}`;
  const software = adapter.info.isFallbackAdapter === true || SOFTWARE.test(words);
  const name = description || device || `${vendor} ${architecture}`.trim() || 'unnamed adapter';
  let adapterClass = `${vendor}/${architecture}`;
  if (/swiftshader/i.test(words)) adapterClass = 'swiftshader';
  else if (/llvmpipe|lavapipe/i.test(words)) adapterClass = 'lavapipe';
  return { name, vendor, architecture, description, kind: software ? 'software' : 'hardware', adapterClass };
}

export function refuseAdapter(choice: AdapterChoice, tried: readonly string[]): TurnproofError {
  return new TurnproofError(
    'no-adapter',
    `no WebGPU adapter for --adapter ${choice}: ${tried.join('; ') || 'nothing was found'}`,
    { fix: 'run `turnproof doctor` to see what is there, or take --adapter auto' },
  );
}
