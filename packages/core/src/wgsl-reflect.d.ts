/** The part of wgsl_reflect 1.6 that kernel.ts reads; its own types are not reachable from its ES module. */
declare module 'wgsl_reflect/wgsl_reflect.module.js' {
  interface TypeInfo {
    name: string;
    getTypeName(): string;
  }
  interface VariableInfo {
    name: string;
    group: number;
    binding: number;
    access: string;
    type: TypeInfo;
    members: { name: string; offset: number; type: TypeInfo }[] | null;
  }
  export class WgslReflect {
    constructor(source: string);
    uniforms: VariableInfo[];
    storage: VariableInfo[];
    overrides: { name: string }[];
    entry: { compute: { name: string }[] };
  }
}
