/// <reference path="./wgsl-reflect.d.ts" />
/**
 * A kernel's declaration: its WGSL, its entry point and its typed bindings, in binding order. Declarations are
 * checked against the WGSL by reflection before a pipeline is built, so the two cannot drift apart.
 */
import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { TurnproofError } from './errors.ts';

export type ScalarType = 'f32' | 'u32' | 'i32';

/** Scalars only, in WGSL order: no padding rules to get wrong. */
export interface UniformBinding {
  readonly kind: 'uniform';
  readonly fields: Readonly<Record<string, ScalarType>>;
}

export interface StorageBinding {
  readonly kind: 'storage';
  readonly type: ScalarType;
  /** `atomic` is read-write in WGSL's terms, with atomic elements. */
  readonly access: 'read' | 'read_write' | 'atomic';
}

export type Binding = UniformBinding | StorageBinding;
export type Bindings = Readonly<Record<string, Binding>>;

export interface Kernel<B extends Bindings = Bindings> {
  readonly name: string;
  readonly source: string;
  /** Name of the one compute entry point. */
  readonly entryPoint: string;
  readonly bindings: B;
  /** Names of the `override` constants that the caller may set. */
  readonly overrides: readonly string[];
}

export function uniform<F extends Readonly<Record<string, ScalarType>>>(
  fields: F,
): { readonly kind: 'uniform'; readonly fields: F } {
  return { kind: 'uniform', fields };
}

export function storage<T extends ScalarType, A extends StorageBinding['access']>(
  type: T,
  access: A,
): { readonly kind: 'storage'; readonly type: T; readonly access: A } {
  return { kind: 'storage', type, access };
}

/**
 * Declares a kernel. The bindings' order is their `@binding` order in group 0.
 *
 * @throws TurnproofError `internal` at first compilation when the WGSL says otherwise (see {@link checkDeclaration}).
 */
export function defineKernel<B extends Bindings>(kernel: {
  name: string;
  source: string;
  entryPoint?: string;
  bindings: B;
  overrides?: readonly string[];
}): Kernel<B> {
  return { entryPoint: kernel.name, overrides: [], ...kernel };
}

const wgslType = (binding: StorageBinding): string =>
  binding.access === 'atomic' ? `array<atomic<${binding.type}>>` : `array<${binding.type}>`;

/** Every way in which a declaration and its WGSL disagree; empty when they agree. */
export function declarationFaults(kernel: Kernel): string[] {
  const faults: string[] = [];
  const reflected = new WgslReflect(kernel.source);
  const entry = reflected.entry.compute.find((f) => f.name === kernel.entryPoint);
  if (!entry) return [`no compute entry point «${kernel.entryPoint}»`];
  const found = new Map([...reflected.uniforms, ...reflected.storage].map((v) => [v.name, v]));
  Object.entries(kernel.bindings).forEach(([name, binding], index) => {
    const variable = found.get(name);
    if (!variable) {
      faults.push(`binding «${name}» is not in the WGSL`);
      return;
    }
    found.delete(name);
    if (variable.group !== 0 || variable.binding !== index) {
      faults.push(
        `«${name}» is @group(${variable.group}) @binding(${variable.binding}), declared (0, ${index})`,
      );
    }
    if (binding.kind === 'uniform') {
      const members = variable.members ?? [];
      const said = Object.entries(binding.fields).map(([field, type], i) => `${field}: ${type} @${4 * i}`);
      const is = members.map((m) => `${m.name}: ${m.type.name} @${m.offset}`);
      if (said.join(', ') !== is.join(', ')) {
        faults.push(`uniform «${name}» is {${is.join(', ')}}, declared {${said.join(', ')}}`);
      }
      return;
    }
    const access = variable.access || 'read';
    const wanted = binding.access === 'read' ? 'read' : 'read_write';
    if (access !== wanted) faults.push(`«${name}» has access ${access}, declared ${wanted}`);
    // Reflection writes a runtime-sized array as array<T,0>.
    const type = variable.type.getTypeName().replaceAll(/\s/g, '').replace(/,0>$/, '>');
    if (type !== wgslType(binding)) faults.push(`«${name}» is ${type}, declared ${wgslType(binding)}`);
  });
  for (const name of found.keys()) faults.push(`the WGSL binds «${name}», which is not declared`);
  const overrides = reflected.overrides.map((o) => o.name);
  for (const name of kernel.overrides)
    if (!overrides.includes(name)) faults.push(`no override «${name}» in the WGSL`);
  for (const name of overrides)
    if (!kernel.overrides.includes(name)) faults.push(`override «${name}» is not declared`);
  return faults;
}

export function checkDeclaration(kernel: Kernel): void {
  const faults = declarationFaults(kernel);
  if (faults.length > 0) {
    throw new TurnproofError(
      'internal',
      `kernel «${kernel.name}» and its WGSL disagree: ${faults.join('; ')}`,
    );
  }
}
