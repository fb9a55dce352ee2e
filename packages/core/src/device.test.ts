import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchRecord } from './batch.ts';
import { type Gpu, openDevice } from './device.ts';
import { declarationFaults, defineKernel, storage, uniform } from './kernel.ts';
import { closeChecked, testAdapters } from './testing/index.ts';

const scaleSource = `
struct Params { factor: f32, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> target_: array<f32>;
override SIZE: u32 = 64;
@compute @workgroup_size(SIZE) fn scale(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.count) { target_[id.x] = params.factor * source[id.x]; }
}`;

const scale = defineKernel({
  name: 'scale',
  source: scaleSource,
  overrides: ['SIZE'],
  bindings: {
    params: uniform({ factor: 'f32', count: 'u32' }),
    source: storage('f32', 'read'),
    target_: storage('f32', 'read_write'),
  },
});

describe('a kernel declaration', () => {
  it('that matches its WGSL has no faults', () => {
    expect(declarationFaults(scale)).toEqual([]);
  });
  it('with swapped uniform fields, a wrong access, a missing binding or an unknown override is refused', () => {
    const { params, source, target_ } = scale.bindings;
    const faults = (bindings: Parameters<typeof defineKernel>[0]['bindings'], overrides = ['SIZE']) =>
      declarationFaults(defineKernel({ name: 'scale', source: scaleSource, overrides, bindings })).join('\n');
    expect(faults({ params: uniform({ count: 'u32', factor: 'f32' }), source, target_ })).toContain(
      'uniform «params»',
    );
    expect(faults({ params, source: storage('f32', 'read_write'), target_ })).toContain('access read');
    expect(faults({ params, source: storage('u32', 'read'), target_ })).toContain('array<f32>');
    expect(faults({ params, target_ })).toContain('«source», which is not declared');
    expect(faults({ params, target_, source })).toContain('declared (0, 1)');
    expect(faults({ params, source, target_ }, ['SIZE', 'WIDTH'])).toContain('WIDTH');
    expect(faults({ params, source, target_ }, [])).toContain('SIZE');
  });
});

describe.each(await testAdapters())('a device on %s', (adapter) => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openDevice({ adapter });
  });
  afterAll(() => closeChecked(gpu));

  it('is the adapter that was asked for, not another one of this machine', () => {
    if (adapter === 'hardware') expect(gpu.adapter.kind).toBe('hardware');
    else expect(gpu.adapter.adapterClass).toBe(adapter);
  });

  it('tells who watches of each batch, in the order of its times, and of nothing before or after', async () => {
    const array = gpu.upload('f32', Float32Array.of(1, 2, 3), 'watched');
    const compiled = await gpu.compile(scale);
    const run = async (label: string) => {
      const batch = gpu.batch(label);
      const params = { factor: 2, count: 3 };
      const target_ = gpu.array('f32', 3, 'target');
      batch.dispatch(compiled, { params, source: array, target_ }, [1]);
      batch.dispatch(compiled, { params, source: array, target_ }, [1]);
      const read = batch.read(target_);
      await batch.submit();
      target_.release();
      return [...read.data];
    };
    const records: BatchRecord[] = [];
    await run('before');
    const stop = gpu.watch((record) => records.push(record));
    expect(await run('watched')).toEqual([2, 4, 6]);
    stop();
    await run('after');
    array.release();
    expect(records.map(({ label }) => label)).toEqual(['watched']);
    const [{ begun, submitted, done, dispatches } = expect.fail('no record')] = records;
    expect(submitted).toBeGreaterThanOrEqual(begun);
    expect(done).toBeGreaterThanOrEqual(submitted);
    if (gpu.hasTimestamps) {
      expect(dispatches.map(({ label }) => label)).toEqual(['scale', 'scale']);
      const [first, second] = dispatches;
      expect(second?.begin).toBeGreaterThanOrEqual((first?.begin ?? 0) + (first?.nanoseconds ?? 0));
    }
  });

  it('runs a kernel with each dispatch of a batch seeing its own uniforms', async () => {
    const source = gpu.upload('f32', Float32Array.of(1, 2, 3), 'source');
    const [a, b] = [gpu.array('f32', 3, 'a'), gpu.array('f32', 3, 'b')];
    const compiled = await gpu.compile(scale, { SIZE: 32 });
    const batch = gpu.batch('two scales', { timing: true });
    batch.dispatch(compiled, { params: { factor: 2, count: 3 }, source, target_: a }, [1]);
    batch.dispatch(compiled, { params: { factor: -3, count: 3 }, source: a, target_: b }, [1]);
    const [ra, rb] = [batch.read(a), batch.read(b)];
    await batch.submit();
    expect([...ra.data, ...rb.data]).toEqual([2, 4, 6, -6, -12, -18]);
    expect(batch.timings.map((t) => t.label)).toEqual(gpu.hasTimestamps ? ['scale', 'scale'] : []);
    for (const array of [source, a, b]) array.release();
  });

  it('names the batch and the cause when the GPU refuses it, and works on afterwards', async () => {
    const source = gpu.upload('f32', Float32Array.of(1), 'source');
    const compiled = await gpu.compile(scale, { SIZE: 32 });
    const batch = gpu.batch('aliased');
    // The same buffer read and written in one dispatch: a validation error.
    batch.dispatch(compiled, { params: { factor: 2, count: 1 }, source, target_: source }, [1]);
    await expect(batch.submit()).rejects.toThrow(/«aliased».*/s);
    expect([...(await gpu.read(source))]).toEqual([1]);
    source.release();
  });

  it('shows line, column and source of a shader that does not compile', async () => {
    const broken = { ...scale, source: scaleSource.replace('params.factor *', 'params.count *') };
    await expect(gpu.compile(broken)).rejects.toThrow(/scale\.wgsl:8:\d+: .*\n.*params\.count \*/s);
  });

  it('refuses a buffer beyond the adapter’s limit as out of memory, before asking for it', () => {
    expect(() => gpu.array('f32', 2 ** 44, 'huge')).toThrow(
      expect.objectContaining({ code: 'out-of-memory' }),
    );
    // It could be made, but no kernel could be given all of it.
    const bindable = gpu.device.limits.maxStorageBufferBindingSize / 4;
    expect(() => gpu.array('f32', bindable + 1, 'not bindable')).toThrow(
      expect.objectContaining({ code: 'out-of-memory' }),
    );
  });

  it('reuses a released buffer and refuses a second release', () => {
    const first = gpu.array('f32', 100, 'first');
    const { buffer } = first;
    first.release();
    const second = gpu.array('f32', 90, 'second');
    expect(second.buffer).toBe(buffer);
    second.release();
    expect(() => second.release()).toThrow('released twice');
  });

  it('ends the run when the device is lost', async () => {
    const own = await openDevice({ adapter });
    own.device.destroy();
    await own.device.lost;
    expect(() => own.batch('after')).toThrow(expect.objectContaining({ code: 'device-lost' }));
    own.close();
  });
});
