/**
 * Two halves of some work at once: while the GPU is at one of them, this thread reads the other's results and prepares
 * what it asks for next. Where there is one thing to do, it is done alone.
 *
 * Waits for both, whatever becomes of either (they share buffers), then throws what the first one threw.
 */
export async function inHalves<T, R>(
  all: readonly T[],
  work: (half: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const middle = Math.ceil(all.length / 2);
  const halves = [all.slice(0, middle), all.slice(middle)].filter((half) => half.length > 0);
  const ends = await Promise.allSettled(halves.map(work));
  return ends.flatMap((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}
