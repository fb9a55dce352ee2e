/**
 * Every error probability of a certificate, in one place: what was granted, what each test has spent, and a
 * refusal to spend more. Not for choosing a split beyond the default one.
 *
 * Accounts are exact: a double is a whole multiple of 2^-1074, so sums and comparisons are made on whole numbers
 * and no rounding ever lends a test what is not there.
 */
import { badInput, nextUp, TurnproofError } from '@turnproof/core';
import { requireLevel } from './check-arguments.ts';

/** Shares of 0.01 when nobody says otherwise: outer test, inner tests, interpolation error. */
export const DEFAULT_SPLIT = { alphaGamma: 0.4, alphaEps: 0.5, alphaE: 0.1 } as const;

/** As certificates store it: total, each account's grant under its own name, and what was spent of it. */
export interface LedgerRecord {
  readonly total: number;
  readonly spent: Readonly<Record<string, number>>;
  readonly [name: string]: number | Readonly<Record<string, number>>;
}

interface Account {
  readonly grant: number;
  left: bigint;
}

const RESERVED_NAMES = ['total', 'spent'];

export class AlphaLedger {
  readonly total: number;
  readonly #accounts = new Map<string, Account>();

  /**
   * @param total the error probability of everything together
   * @param grants per name; their exact sum must not exceed the total
   */
  constructor(total: number, grants: Readonly<Record<string, number>>) {
    requireLevel(total, 'the total alpha');
    this.total = total;
    let sum = 0n;
    for (const [name, grant] of Object.entries(grants)) {
      if (RESERVED_NAMES.includes(name)) throw badInput(`an alpha cannot be called «${name}»`);
      if (!(grant >= 0 && grant < 1)) throw badInput(`${name} must lie in [0, 1), not be ${grant}`);
      this.#accounts.set(name, { grant, left: toUnits(grant) });
      sum += toUnits(grant);
    }
    if (sum > toUnits(total)) {
      const listed = Object.entries(grants).map(([name, grant]) => `${name} ${grant}`);
      throw badInput(`the shares ${listed.join(', ')} sum to more than ${total}`, 'Lower one of the shares.');
    }
  }

  /**
   * A ledger for a confidence such as 0.99, split by weights (default 0.4, 0.5, 0.1: 0.004 + 0.005 + 0.001).
   * The confidence is read as a decimal number of up to 15 places: 0.99 leaves 0.01, not 0.010000000000000009. One of
   * more places leaves what its double says, which no rounding may enlarge: 1 - 4.4e-16 does not leave 1e-15.
   */
  static forConfidence(
    confidence: number,
    weights: Readonly<Record<string, number>> = DEFAULT_SPLIT,
  ): AlphaLedger {
    requireLevel(confidence, 'the confidence');
    const left = 1 - confidence;
    const decimal = Number(left.toFixed(15));
    // Apart by the confidence's own rounding at most: then it is the double nearest to that decimal.
    return AlphaLedger.split(Math.abs(decimal - left) <= 2 ** -54 ? decimal : left, weights);
  }

  /** A ledger of a total split by weights that sum to at most 1; the exact sum of the shares stays within it. */
  static split(total: number, weights: Readonly<Record<string, number>> = DEFAULT_SPLIT): AlphaLedger {
    requireLevel(total, 'the total alpha');
    const sum = Object.values(weights).reduce((partial, weight) => partial + weight, 0);
    if (!(sum <= 1 + 1e-12)) throw badInput(`the weights of the alphas sum to ${sum}, more than 1`);
    const grants: Record<string, number> = {};
    let left = toUnits(total);
    for (const [name, weight] of Object.entries(weights)) {
      if (!(weight >= 0)) throw badInput(`the weight of ${name} must be at least 0, not ${weight}`);
      // Fifteen digits keep 0.4 · 0.01 readable; the last share gives way if that should cost a rounding.
      const grant = Math.min(Number((total * weight).toPrecision(15)), fromUnitsDown(left));
      grants[name] = grant;
      left -= toUnits(grant);
    }
    return new AlphaLedger(total, grants);
  }

  /** What was granted to `name` at the start. */
  granted(name: string): number {
    return this.#account(name).grant;
  }

  /** What is left of `name`, rounded down. */
  remaining(name: string): number {
    return fromUnitsDown(this.#account(name).left);
  }

  /** The largest double of which `count` together do not exceed what is left of `name`. */
  share(name: string, count: number): number {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw badInput(`${name} can be shared among a whole number of tests, not ${count}`);
    }
    return fromUnitsDown(this.#account(name).left / BigInt(count));
  }

  /** Books `amount` and returns it, to be written where the test is made. Throws `internal` on an overdraft. */
  spend(name: string, amount: number): number {
    const account = this.#account(name);
    if (!(amount > 0 && amount < 1)) {
      throw new TurnproofError('internal', `${name}: ${amount} is no error probability to spend`);
    }
    const units = toUnits(amount);
    if (units > account.left) {
      const left = fromUnitsDown(account.left);
      throw new TurnproofError(
        'internal',
        `${name}: a test wants ${amount}, only ${left} of ${account.grant} is left`,
      );
    }
    account.left -= units;
    return amount;
  }

  toJSON(): LedgerRecord {
    const grants: Record<string, number> = {};
    const spent: Record<string, number> = {};
    for (const [name, { grant, left }] of this.#accounts) {
      grants[name] = grant;
      spent[name] = fromUnitsUp(toUnits(grant) - left);
    }
    return { ...grants, total: this.total, spent };
  }

  #account(name: string): Account {
    const account = this.#accounts.get(name);
    if (account !== undefined) return account;
    const names = [...this.#accounts.keys()].join(', ');
    throw new TurnproofError('internal', `there is no alpha called «${name}», only ${names}`);
  }
}

const bits = new DataView(new ArrayBuffer(8));

/** x >= 0 as a whole number of 2^-1074, exactly. */
function toUnits(x: number): bigint {
  bits.setFloat64(0, x);
  const pattern = bits.getBigUint64(0);
  const exponent = pattern >> 52n;
  const fraction = pattern & ((1n << 52n) - 1n);
  return exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
}

/** The greatest double of at most this many units, for values below 2. */
function fromUnitsDown(units: bigint): number {
  if (units <= 0n) return 0;
  const surplus = Math.max(0, units.toString(2).length - 53);
  const mantissa = units >> BigInt(surplus);
  // Two factors: 2^-1074 alone would not leave a normal number to multiply with.
  return Number(mantissa) * 2 ** -537 * 2 ** (surplus - 537);
}

/** The least double of at least this many units, for values below 2. */
function fromUnitsUp(units: bigint): number {
  const down = fromUnitsDown(units);
  return toUnits(down) === units ? down : nextUp(down);
}
