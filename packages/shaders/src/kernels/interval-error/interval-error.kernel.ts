import { wgsl } from '../../generated/wgsl.ts';
import { definePairKernel } from '../pair-kernel.ts';

/** sup || pre(T_beta Y - hull of T_(box+beta) x) ||^2 over Y in its hull; items as for `chord_error`. */
export const intervalErrorKernel = definePairKernel('interval_error', wgsl.interval_error);
