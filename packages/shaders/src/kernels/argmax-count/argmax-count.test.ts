import { expectEqual } from '@turnproof/core/testing';
import { describeKernel, randomNumbers } from '../../kernel-suite.test-support.ts';
import {
  argmaxCountKernel,
  compileArgmaxCount,
  dispatchArgmaxCount,
  PADDING_SLOT,
} from './argmax-count.kernel.ts';
import { argmaxCountOracle } from './argmax-count.oracle.ts';

describeKernel({
  kernel: argmaxCountKernel,
  proposition:
    'counts the argmax of each row in its slot, ties to the lowest class, no row with NaN or infinity',
  check: async (gpu, kernel) => {
    const [rows, classes, slotCount] = [1000, 7, 13];
    const random = randomNumbers(3);
    // Quarters make ties common.
    const logits = Float32Array.from({ length: rows * classes }, () => Math.floor(random() * 12 - 6) / 4);
    for (let row = 0; row < rows; row += 11) {
      const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY][row % 3] ?? 0;
      logits[row * classes + (row % classes)] = odd;
    }
    const slots = Uint32Array.from({ length: rows }, (_, row) =>
      row % 17 === 0 ? PADDING_SLOT : row % slotCount,
    );
    const arrays = {
      logits: gpu.upload('f32', logits, 'logits'),
      slots: gpu.upload('u32', slots, 'slots'),
      counts: gpu.upload('u32', new Uint32Array(slotCount * classes).fill(5), 'counts'),
    };
    try {
      const batch = gpu.batch('count');
      dispatchArgmaxCount(batch, await compileArgmaxCount(gpu, kernel), arrays, rows, classes);
      const result = batch.read(arrays.counts);
      await batch.submit();
      expectEqual(
        'counts',
        result.data,
        argmaxCountOracle(logits, slots, classes, slotCount).map((n) => n + 5),
      );
    } finally {
      for (const array of Object.values(arrays)) array.release();
    }
  },
  mutants: [
    { fault: 'ties go to the highest class', find: 'value > best_value', replace: 'value >= best_value' },
    { fault: 'NaN counts', find: 'finite = false;', replace: 'finite = finite;' },
    {
      fault: 'slot 0 taken for padding',
      find: '|| slots[row] == 0xffffffffu',
      replace: '|| slots[row] == 0u',
    },
    { fault: 'last class never wins', find: 'c < params.classes', replace: 'c < params.classes - 1u' },
  ],
});
