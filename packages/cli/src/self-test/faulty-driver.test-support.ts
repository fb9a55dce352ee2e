/** Preloaded into a program (`node --import`): the driver miscompiles the kernel that the environment names. Test support only. */
import { openDevice } from '@turnproof/core';
import { DRIVER_FAULTS, plantFault } from './driver-faults.test-support.ts';

const fault = DRIVER_FAULTS.find(({ kernel }) => kernel === process.env.TURNPROOF_TEST_FAULT);
if (!fault) throw new Error('TURNPROOF_TEST_FAULT names no kernel');
const gpu = await openDevice({ adapter: 'software' });
plantFault(Object.getPrototypeOf(gpu.device), fault);
gpu.close();
