import { afterEach, describe, expect, it, vi } from 'vitest';
import { host } from './host.node.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

afterEach(() => {
  vi.restoreAllMocks();
});

describe('wait', () => {
  it('passes on what the work came to', async () => {
    await expect(host.wait(Promise.resolve(7))).resolves.toBe(7);
    await expect(host.wait(Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  });

  it('naps once a turn of the event loop, however many wait and have waited, and not at all afterwards', async () => {
    const naps = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    for (let i = 0; i < 20; i++) await host.wait(Promise.resolve());
    let finish = () => {};
    const work = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const waits = [host.wait(work), host.wait(work), host.wait(work)];
    await turn();
    naps.mockClear();
    for (let i = 0; i < 10; i++) await turn();
    expect(naps).toHaveBeenCalledTimes(10);
    finish();
    await Promise.all(waits);
    await turn();
    naps.mockClear();
    for (let i = 0; i < 10; i++) await turn();
    expect(naps).not.toHaveBeenCalled();
  });
});
