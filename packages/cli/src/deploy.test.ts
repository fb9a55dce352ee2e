import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type TemporaryFolder, temporaryFolder } from './data/testing/files.ts';
import { parseShard, SHARDS } from './options/shard.ts';
import { buildProgram } from './program.ts';

const at = (path: string) => fileURLToPath(new URL(`../../../deploy/${path}`, import.meta.url));
const manifest = (name: string) => parse(readFileSync(at(`kubernetes/${name}`), 'utf8'));

describe.each(readdirSync(at('kubernetes')))('deploy/kubernetes/%s', (name) => {
  it('follows the schema of a Kubernetes Job', () => {
    expect(() => new Job(manifest(name)).validate()).not.toThrow();
  });
  it('is refused by that schema without its containers', () => {
    const { spec, ...job } = manifest(name);
    const wrong = { ...spec, template: { ...spec.template, spec: { restartPolicy: 'Never' } } };
    expect(() => new Job({ ...job, spec: wrong }).validate()).toThrow(/containers/);
  });
});

describe('the manifests', () => {
  let folder: TemporaryFolder;
  beforeAll(async () => {
    folder = await temporaryFolder();
    await symlink(
      fileURLToPath(new URL('../../../node_modules', import.meta.url)),
      join(folder.path, 'node_modules'),
    );
  });
  afterAll(() => folder.remove());

  /** What tsc says about them as literals of the schema's types: these know all fields, the schema lets others pass. */
  async function typeErrors(manifests: readonly unknown[]): Promise<string> {
    const literals = manifests.map((job, i) => `export const job${i}: IJob = ${JSON.stringify(job)};`);
    await folder.write(
      'jobs.ts',
      [`import type { IJob } from 'kubernetes-models/batch/v1/Job';`, ...literals].join('\n'),
    );
    const args = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', '', 'jobs.ts'];
    try {
      execFileSync(join(folder.path, 'node_modules', '.bin', 'tsc'), args, { cwd: folder.path });
      return '';
    } catch (error) {
      return String(error instanceof Error && 'stdout' in error ? error.stdout : error);
    }
  }
  it('name no field that Kubernetes does not know', async () => {
    const jobs = readdirSync(at('kubernetes')).map(manifest);
    expect(await typeErrors(jobs)).toBe('');
    const misspelt = manifest('merge-job.yaml');
    misspelt.spec.template.spec.restartpolicy = 'Never';
    expect(await typeErrors([misspelt])).toContain('restartpolicy');
  });
});

describe('the indexed job', () => {
  const { spec } = manifest('certify-job.yaml');
  const [container] = spec.template.spec.containers;
  it('tells turnproof as many shards as it has completions, and each pod is one of them', () => {
    const shards = container.env.find(({ name }: { name: string }) => name === SHARDS).value;
    expect(Number(shards)).toBe(spec.completions);
    const env = (index: number) => ({ JOB_COMPLETION_INDEX: String(index), [SHARDS]: shards });
    const parts = Array.from({ length: spec.completions }, (_, i) => parseShard('auto', env(i)));
    expect(parts).toEqual(parts.map((_, i) => ({ index: i + 1, count: spec.completions })));
  });
  it('gives options that certify has', () => {
    const program = buildProgram({ exitCode: 0, verbose: false, lastWords: () => '', windUp: undefined });
    const certify = program.commands.find((command) => command.name() === container.command[1]);
    const known = certify?.options.map(({ long }) => long) ?? [];
    for (const word of container.args) expect(known).toContain(word.split('=')[0]);
  });
});

describe('deploy/slurm', () => {
  it.each(readdirSync(at('slurm')))('%s is bash that parses', (name) => {
    execFileSync('bash', ['-n', at(`slurm/${name}`)]);
  });
});
