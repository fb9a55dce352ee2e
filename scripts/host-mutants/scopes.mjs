/** Which files are mutated, and which tests are asked to notice. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const certify = 'packages/certify/src';
/** Folders (or files) of code that a certificate rests on; prose and schemas are not. */
const HOST_CODE = [
  ...['statistics', 'methods', 'certificate', 'calibration', 'sampling', 'bounds'].map(
    (folder) => `${certify}/${folder}`,
  ),
  'packages/shaders/src/budgets.ts',
  'packages/shaders/src/geometry.ts',
];
const NO_CODE =
  /\.test\.ts$|\.test-support\.ts$|\.d\.ts$|\/(index|types|words|percent|versions|schema|schema-parts)\.ts$/;

function under(root, path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => under(root, `${path}/${name}`));
}

/** Files of host code within the paths asked for, all of them where none is. */
export function filesOf(root, paths) {
  const all = HOST_CODE.flatMap((path) => under(root, path)).filter(
    (file) => file.endsWith('.ts') && !NO_CODE.test(file),
  );
  return paths.length === 0
    ? all
    : all.filter((file) => paths.some((path) => file === path || file.startsWith(`${path}/`)));
}

/** Tests that judge a file without having its name. */
const ALSO = {
  'sequential-test': ['inner-thresholds'],
  refine: ['ends', 'undecided', 'bounds'],
  wave: ['margins', 'many-waves', 'bounds'],
  'slice-wave': ['margins', 'slices'],
  slices: ['margins'],
  inverse: ['margins'],
  grid: ['bounds', 'slices', 'inverse'],
  sampled: ['many-waves'],
  geometry: ['budgets-derived'],
  'extra-error': ['bounds'],
  'sweep-search': ['sweep.'],
};

/**
 * The tests asked about a file: `own`, those named after it; `folder`; `package`, everything that imports it there.
 * Vitest leaves out what does not import the file.
 */
export function testsOf(root, file, scope) {
  const [folder, name] = [file.slice(0, file.lastIndexOf('/')), file.slice(file.lastIndexOf('/') + 1, -3)];
  const own = readdirSync(join(root, folder))
    .filter((test) => test.endsWith('.test.ts'))
    .filter((test) => [name, ...(ALSO[name] ?? [])].some((start) => test.startsWith(start)))
    .map((test) => `${folder}/${test}`);
  if (scope === 'package') return [file.replace(/\/src\/.*/, '/src/**/*.test.ts')];
  return scope === 'own' && own.length > 0 ? own : [`${folder}/*.test.ts`];
}
