/**
 * What Stryker's own mutators leave alone and a bound hangs on: numbers, and the side to which something is rounded.
 * Loaded by Stryker as a plugin. It has no interface for more mutators, so they are added to its list; its version is
 * fixed in package.json.
 *
 * Also here: the sample. A mutant is in it when a hash of it and the seed falls below the share, so a larger share
 * holds the smaller one's mutants.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { PluginKind } from '@stryker-mutator/api/plugin';
import { keyOf } from './results.mjs';

const instrumenter = createRequire(import.meta.resolve('@stryker-mutator/core')).resolve(
  '@stryker-mutator/instrumenter',
);
const { allMutators } = await import(new URL('./mutators/mutate.js', `file://${instrumenter}`).href);
const { types } = createRequire(instrumenter)('@babel/core');
const generate = createRequire(instrumenter)('@babel/generator').default;
/** What is asked for; main.mjs sets it before each run. */
export const asked = { share: 1, seed: 1, file: '', wanted: () => true, tell: () => undefined };

const numbers = {
  name: 'Number',
  *mutate(path) {
    if (!path.isNumericLiteral() || path.parentPath.isTSLiteralType()) return;
    const { value } = path.node;
    yield types.numericLiteral(value === 0 ? 1 : 0);
    if (value !== 0) yield types.numericLiteral(2 * value);
  },
};

const otherSide = { floor: 'ceil', ceil: 'floor', round: 'floor' };
/** A result on its safe side, moved to the other by a hair: tests with slack do not notice. */
const inward = { Up: 1 - 2 ** -48, Upper: 1 - 2 ** -48, Down: 1 + 2 ** -48, Lower: 1 + 2 ** -48 };

const roundings = {
  name: 'Rounding',
  *mutate(path) {
    if (!path.isCallExpression()) return;
    const { callee } = path.node;
    const member = types.isMemberExpression(callee);
    const word = member ? callee.property : callee;
    const name = types.isIdentifier(word) ? word.name : '';
    const side = /(Up|Upper|Down|Lower)$/.exec(name)?.[1];
    const node = types.cloneNode(path.node, true);
    if (side) yield types.binaryExpression('*', node, types.numericLiteral(inward[side]));
    else if (member && Object.hasOwn(otherSide, name)) {
      node.callee.property = types.identifier(otherSide[name]);
      yield node;
    }
  },
};

/** In [0, 1), the same for the same mutant. */
const lot = (key) =>
  createHash('sha256').update(`${asked.seed} ${asked.file} ${key}`).digest().readUInt32BE(0) / 2 ** 32;

const all = [...allMutators, numbers, roundings];
allMutators.splice(
  0,
  allMutators.length,
  ...all.map((mutator) => ({
    ...mutator,
    *mutate(path, options) {
      for (const node of mutator.mutate(path, options)) {
        const { line, column } = path.node.loc?.start ?? { line: 0, column: 0 };
        const location = { start: { line, column: column + 1 } };
        const key = keyOf({ mutatorName: mutator.name, replacement: generate(node).code, location });
        if (asked.wanted(key) && lot(key) < asked.share) yield node;
      }
    },
  })),
);

/** Gives each result to `asked.tell` as it comes. */
class Teller {
  static inject = [];
  onMutantTested(result) {
    asked.tell(result);
  }
}
export const strykerPlugins = [{ kind: PluginKind.Reporter, name: 'tell', injectableClass: Teller }];
