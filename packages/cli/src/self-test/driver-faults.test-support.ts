/**
 * Drivers that miscompile a kernel: what reaches the device is another program than the source, whose text and hash stay as
 * they are. Test support only.
 */
import type { Mutant } from '@turnproof/core/testing';

export interface DriverFault extends Mutant {
  readonly kernel: string;
}

const SUM = 'output[group.x * groups.y + group.y] = total;';
/** Squares are added up: this is a quarter of the norm. */
const QUARTER = { find: SUM, replace: SUM.replace('total', '0.0625 * total') };

/** A gross one in each kernel, such as makes a certificate too large. */
export const DRIVER_FAULTS: readonly DriverFault[] = [
  { kernel: 'warp', fault: 'half as bright', find: 'place.offset] = ', replace: 'place.offset] = 0.5 * ' },
  { kernel: 'warp_pre', fault: 'half as bright', find: '= blurred(tile,', replace: '= 0.5 * blurred(tile,' },
  { kernel: 'box_hull', fault: 'upper ends are the lower ones', find: '= ends.y;', replace: '= ends.x;' },
  {
    kernel: 'box_remainder',
    fault: 'a quarter of it',
    find: 'remainder(plane_at(image',
    replace: '0.25 * remainder(plane_at(image',
  },
  { kernel: 'point_error', fault: 'a quarter of the norm', ...QUARTER },
  { kernel: 'chord_error', fault: 'a quarter of the norm', ...QUARTER },
  { kernel: 'interval_error', fault: 'a quarter of the norm', ...QUARTER },
  {
    kernel: 'inverse',
    fault: 'intervals end too early',
    find: 'let high = value + half_step;',
    replace: 'let high = 0.9 * value;',
  },
  { kernel: 'slice_distance', fault: 'a quarter of the norm', ...QUARTER },
  { kernel: 'slice_remainder', fault: 'a quarter of the norm', ...QUARTER },
  {
    kernel: 'noise',
    fault: 'half the deviation',
    find: 'return least;',
    replace: 'return least / 2u;',
  },
  {
    kernel: 'argmax_count',
    fault: 'off by one',
    find: '+ best], 1u)',
    replace: '+ (best + 1u) % params.classes], 1u)',
  },
];

type MakesModules = Pick<GPUDevice, 'createShaderModule'>;

/** From now on the device, or each of a prototype's, makes the faulty program of this kernel. */
export function plantFault(device: MakesModules, { kernel, find, replace }: DriverFault): void {
  const create = device.createShaderModule;
  device.createShaderModule = function (this: GPUDevice, given) {
    if (given.label !== kernel) return create.call(this, given);
    const parts = given.code.split(find);
    if (parts.length !== 2) throw new Error(`«${find}» is ${parts.length - 1} times in ${kernel}`);
    return create.call(this, { ...given, code: parts.join(replace) });
  };
}
