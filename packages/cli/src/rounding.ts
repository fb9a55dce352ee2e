/**
 * Numbers as text that never promises more than the number: bounds are rounded up, radii and witnesses down.
 */

/** The least decimal of so many places that is not below x. */
export function upTo(x: number, places: number): string {
  const text = x.toFixed(places);
  return Number(text) >= x ? text : stepped(text, places, 1);
}

/** The largest decimal of so many places that is not above x. */
export function downTo(x: number, places: number): string {
  const text = x.toFixed(places);
  return Number(text) <= x ? text : stepped(text, places, -1);
}

/** A number of so many places, in JSON the same as in text: rounded up. */
export function roundUp(x: number, places: number): number {
  return Number(upTo(x, places));
}

export function roundDown(x: number, places: number): number {
  return Number(downTo(x, places));
}

/** The decimal one unit of its last place further; whole numbers, so that nothing is rounded on the way. */
function stepped(text: string, places: number, by: 1 | -1): string {
  const units = BigInt(text.replace('.', '')) + BigInt(by);
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0');
  const cut = digits.length - places;
  const sign = units < 0n ? '-' : '';
  return places === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, cut)}.${digits.slice(cut)}`;
}
