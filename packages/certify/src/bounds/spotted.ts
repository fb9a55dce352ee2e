/** Bounders that mark one request of each call for a spot check: one image's share of what a device is held to. */
import type { Inverter } from './inverse.ts';
import type { SliceBounder } from './slices.ts';
import { marked, type Spot } from './spot-check.ts';
import type { ErrorBounder } from './types.ts';

export function spottedErrors(bounder: ErrorBounder, spot: Spot): ErrorBounder {
  return {
    method: bounder.method,
    bound: (images, requests, goal) => bounder.bound(images, marked(requests, spot), goal),
  };
}

/** Sweep asks many times for a few slices each: boxes are checked at the first call alone. */
export function spottedSlices(slices: SliceBounder, spot: Spot): SliceBounder {
  let { boxes } = spot;
  return {
    bound: (images, requests) => {
      const own = { ...spot, boxes };
      boxes = false;
      return slices.bound(images, marked(requests, own));
    },
    distances: (images, points) => slices.distances(images, points),
    close: () => slices.close(),
  };
}

export function spottedInverter(inverter: Inverter, spot: Spot): Inverter {
  return {
    narrow: (image) => inverter.narrow(image, spot),
    over: (preimages) => spottedErrors(inverter.over(preimages), spot),
  };
}
