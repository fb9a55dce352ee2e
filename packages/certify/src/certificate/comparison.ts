/**
 * Two values as they stand in files, place by place: what differs, by how much, and what of it is too much. Not for what
 * a certificate's fields mean: who compares says which are left out and how far others may be apart.
 */
import type { Problem } from './audit.ts';
import { fieldName } from './field-name.ts';

export interface Differences {
  readonly problems: readonly Problem[];
  /** Numbers and verdicts that differ, within what is allowed or not. */
  readonly differences: number;
  /** The largest of them, relative to the larger number; null where none differs. */
  readonly largest: { readonly field: string; readonly relative: number } | null;
}

export interface Policy {
  /** Is this field, with all that is in it, left out? */
  readonly skips: (field: string) => boolean;
  /** How far a number may be from the one drawn again. */
  readonly allowed: (field: string, stated: number, again: number) => number;
}

type Json = string | number | boolean | null | Json[] | { readonly [key: string]: Json };

/** As it stands in a file. */
function toJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

export class Comparison {
  readonly #policy: Policy;
  readonly #problems: Problem[] = [];
  #differences = 0;
  #largest: Differences['largest'] = null;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  result(): Differences {
    return { problems: this.#problems, differences: this.#differences, largest: this.#largest };
  }

  compare(stated: unknown, again: unknown): void {
    this.#walk([], toJson(stated), toJson(again));
  }

  /** A number that was counted or measured both times. */
  number(field: string, stated: number, again: number): void {
    if (stated === again) return;
    this.note(field, stated, again);
    if (Math.abs(stated - again) <= this.#policy.allowed(field, stated, again)) return;
    this.#problems.push({ field, message: unlike(stated, again) });
  }

  /** Counts a difference, whether or not it is allowed. */
  note(field: string, stated: number, again: number): void {
    if (stated === again) return;
    this.#differences += 1;
    const relative = Math.abs(stated - again) / Math.max(Math.abs(stated), Math.abs(again));
    if (this.#largest === null || relative > this.#largest.relative) this.#largest = { field, relative };
  }

  /** Something that is no number differs, as it may. */
  count(): void {
    this.#differences += 1;
  }

  refuse(field: string, message: string): void {
    this.#problems.push({ field, message });
  }

  #walk(path: readonly PropertyKey[], stated: Json | undefined, again: Json | undefined): void {
    const field = fieldName(path);
    if (this.#policy.skips(field)) return;
    if (Array.isArray(stated) && Array.isArray(again)) {
      if (stated.length !== again.length) {
        this.#differ(field, `has ${stated.length} entries, drawn again ${again.length}`);
      }
      const common = Math.min(stated.length, again.length);
      for (let i = 0; i < common; i++) this.#walk([...path, i], stated[i], again[i]);
    } else if (isRecord(stated) && isRecord(again)) {
      for (const key of new Set([...Object.keys(stated), ...Object.keys(again)]))
        this.#walk([...path, key], stated[key], again[key]);
    } else if (typeof stated === 'number' && typeof again === 'number') this.number(field, stated, again);
    else if (stated !== again) this.#differ(field, unlike(stated, again));
  }

  #differ(field: string, message: string): void {
    this.count();
    this.refuse(field, message);
  }
}

export function unlike(stated: unknown, again: unknown): string {
  return `says ${JSON.stringify(stated)}, drawn again it is ${JSON.stringify(again)}`;
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
