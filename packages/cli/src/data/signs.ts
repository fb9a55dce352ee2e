/**
 * The built-in data set: drawn by code, committed, and shipped as `data/test.bin` of the package `@turnproof/signs`,
 * in CIFAR's record format. Not for drawing it: only the committed test set is read here.
 */
import { createRequire } from 'node:module';
import { badInput } from '@turnproof/core';
import { openRecords } from './cifar.ts';
import type { Dataset } from './types.ts';

/**
 * Opens the test set of the signs.
 *
 * @throws TurnproofError 'bad-input' when the package is not installed or its file is damaged.
 */
export async function openSigns(spec: string): Promise<Dataset> {
  const path = signsFile();
  // Only now: the other kinds of data work without the package.
  const { signsClasses } = await import('@turnproof/signs');
  return openRecords(spec, [path], { kind: 'signs', labelBytes: 1, classes: signsClasses });
}

/** Path of the signs' test set, found as Node finds packages: the workspace in a checkout, else the dependency. */
function signsFile(): string {
  try {
    return createRequire(import.meta.url).resolve('@turnproof/signs/data/test.bin');
  } catch {
    throw badInput('the built-in data set is not installed', 'Install it with: npm install @turnproof/signs');
  }
}
