/** `turnproof experiment FILE.yaml`: several runs and a report that compares them, such as a table of the paper. */
import { statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { badInput, TurnproofError } from '@turnproof/core';
import type { CommandContext, CommandSpec } from '../command.ts';
import {
  type Commands,
  OptionReader,
  type Options,
  type PlannedRun,
  readExperiment,
} from '../experiment/plan-file.ts';
import { flagsOf, runChild } from '../experiment/run-child.ts';
import { asMarkdown, asText, experimentTables, notesOf, type SummarisedRun } from '../experiment/tables.ts';
import { EXIT_OK } from '../failure.ts';
import { randomSeed } from '../options/seed.ts';
import type { Values } from '../options/values.ts';
import { type ReportedRun, readRun } from '../report/read-run.ts';
import { writeReport } from '../report/write-report.ts';
import { makeFolders, requireWritable } from '../run/place-to-write.ts';
import { checkRunFolder } from '../run/run-folder.ts';
import { readOptions } from '../run/run-notes.ts';
import { readSummary, SUMMARY, type Summary } from '../run/summary-file.ts';
import { attack } from './attack.ts';
import { bound } from './bound.ts';
import { calibrate } from './calibrate.ts';
import { certify } from './certify.ts';
import { predict } from './predict.ts';
import { statusOf } from './status.ts';

export const experiment: CommandSpec = {
  name: 'experiment',
  summary: 'several runs from a file, and a report that compares them',
  description:
    'Run every entry of a YAML file, each into OUT/<name>, then write table.md and, where anything was certified, ' +
    'report.html and report/*.svg to OUT. The file has: title, about, options (of all runs, by the names of the flags), full ' +
    '(options that --full puts over them) and runs, a list of: name, command (certify, attack, calibrate, bound or predict; ' +
    'certify where it says none), options, full, paper (column: what the paper prints), note. Relative paths start at the ' +
    `working directory; \${here} is the folder of the file, \${run:NAME} that of an earlier run, other \${names} come from ` +
    '--define. ' +
    'Everything is checked before the first run starts; a run that fails ends the experiment with its exit status.',
  operands: [['file', 'the YAML file, such as experiments/signs.yaml']],
  groups: [
    {
      heading: 'Experiment:',
      options: [
        {
          name: 'out',
          value: 'DIR',
          help: 'folder of the runs and the report (default: runs/<time>-<file>)',
        },
        { name: 'full', help: 'the sizes of the section full instead of the small ones' },
        {
          name: 'set',
          value: 'NAME=VALUE',
          help: 'an option of every run, over the file; may be repeated',
          repeats: true,
        },
        {
          name: 'define',
          value: 'NAME=VALUE',
          help: `what \${NAME} stands for in the file; may be repeated`,
          repeats: true,
        },
        {
          name: 'only',
          value: 'NAME',
          help: 'this run alone, or all that begin with signs- as signs-*; may be repeated',
          repeats: true,
        },
        {
          name: 'reuse',
          help: 'take runs that are in OUT already, if their options are the same; go on with unfinished ones of certify',
        },
      ],
    },
  ],
  example: 'turnproof experiment experiments/signs.yaml --set limit=3',
  run,
};

/** Where a run goes is the experiment's to say. */
const OURS = ['out', 'dry-run', 'resume', 'shard'];
const known: Commands = Object.fromEntries(
  [certify, attack, calibrate, bound, predict].map(({ name, groups }) => [
    name,
    groups.flatMap(({ options }) => options).filter((option) => !OURS.includes(option.name)),
  ]),
);

interface Step {
  readonly plan: PlannedRun;
  readonly folder: string;
  /** Complete already. */
  readonly reused: boolean;
  /** Begun already. */
  readonly resumed: boolean;
}

async function run(context: CommandContext): Promise<number> {
  const { console, values, operands } = context;
  const [file = ''] = operands;
  const definitions = pairs(values, 'define');
  const reader = new OptionReader(Object.values(known).flat(), definitions);
  const overrides: Options = Object.fromEntries(
    Object.entries(pairs(values, 'set')).map(([name, value]) => [name, reader.option('--set', name, value)]),
  );
  const out = values.text('out') ?? defaultFolder(file, new Date());
  const { title, about, runs } = await readExperiment(file, known, {
    overrides,
    definitions,
    full: values.flag('full'),
    folderOf: (name) => join(out, name),
    only: values.list('only'),
  });
  requireWritable(out, `--out ${out}`);
  const steps: Step[] = [];
  for (const plan of runs) steps.push(await stepOf(plan, out, values.flag('reuse')));
  const seed = String(randomSeed());
  const unseeded = steps.filter(
    (step) => step.plan.options.seed === undefined && !step.reused && !step.resumed,
  );
  const begun = (step: Step) =>
    unseeded.includes(step) ? { ...step.plan.options, seed } : step.plan.options;
  const say = console.quiet ? ['--quiet'] : console.verbose ? ['--verbose'] : [];

  // All of them before the first one starts: an hour of work must not end at a misspelt path.
  for (const step of steps) {
    const { plan, folder, reused, resumed } = step;
    // What an earlier run will write cannot be checked before it is there.
    const waits = plan.needs.some((name) => steps.some((step) => step.plan.name === name && !step.reused));
    if (reused || waits) continue;
    const code = await runChild(
      [plan.command, ...flagsOf(begun(step)), `--out=${folder}`, ...onward(resumed), '--dry-run', '--quiet'],
      true,
    );
    if (code !== EXIT_OK) {
      console.warn(`that is run ${plan.name} of ${file}; nothing was run`);
      return code;
    }
  }

  if (unseeded.length > 0) console.note(`seed ${seed} (--set seed=${seed} repeats the draws)`);
  let finished = 0;
  context.setLastWords(
    () =>
      `interrupted: ${finished} of ${steps.length} runs are complete, in ${out}; --reuse goes on from there`,
  );
  const reports: ReportedRun[] = [];
  const others: SummarisedRun[] = [];
  for (const step of steps) {
    const { plan, folder, reused, resumed } = step;
    const there = reused ? ' (there already)' : resumed ? ' (begun already)' : '';
    console.note(`run ${finished + 1} of ${steps.length}: ${plan.name}${there}`);
    if (!reused) {
      const code = await runChild(
        [plan.command, ...flagsOf(begun(step)), `--out=${folder}`, ...onward(resumed), ...say],
        console.quiet,
      );
      if (code !== EXIT_OK) {
        console.warn(
          `run ${plan.name} ended with exit status ${code}; ${finished} of ${steps.length} runs are complete`,
        );
        return code;
      }
    }
    if (plan.command === 'certify') reports.push({ ...(await readRun(folder)), name: plan.name });
    else others.push({ name: plan.name, summary: await summaryOf(folder) });
    finished += 1;
    if (console.json) console.data(JSON.stringify({ run: plan.name, folder, reused }));
  }

  const tables = experimentTables(reports, others, runs);
  const notes = notesOf(runs);
  makeFolders(out, `--out ${out}`);
  writeFileSync(
    join(out, 'table.md'),
    asMarkdown(title, tables, [...(about === null ? [] : [about]), ...notes]),
  );
  const attacks = steps.filter(({ plan }) => plan.command === 'attack').map(({ folder }) => folder);
  const page =
    reports.length === 0
      ? null
      : await writeReport(reports, {
          out,
          title,
          about: [...(about === null ? [] : [about]), ...notes],
          tables,
          attacks,
        });
  if (console.json) {
    console.data(JSON.stringify({ title, tables, notes, report: page?.page ?? null }));
  } else {
    console.data([title, asText(tables), ...(about === null ? [] : [about]), ...notes].join('\n\n'));
    console.data(`\n${page?.page ?? join(out, 'table.md')}`);
  }
  return EXIT_OK;
}

async function summaryOf(folder: string): Promise<Summary> {
  const summary = await readSummary(folder);
  if (summary !== null) return summary;
  throw new TurnproofError('internal', `${folder}: the run left no ${SUMMARY}`);
}

/** runs/2025-01-31T12-00-00-signs */
function defaultFolder(file: string, now: Date): string {
  const stem = basename(file).replace(/\.ya?ml$/i, '');
  return join('runs', `${now.toISOString().slice(0, 19).replaceAll(':', '-')}-${stem}`);
}

function pairs(values: Values, option: string): Record<string, string> {
  return Object.fromEntries(
    values.list(option).map((word) => {
      const at = word.indexOf('=');
      if (at < 1) throw badInput(`--${option} ${word}: is no NAME=VALUE`, `Write --${option} name=value.`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

async function stepOf(plan: PlannedRun, out: string, reuse: boolean): Promise<Step> {
  const folder = join(out, plan.name);
  if (!reuse || statSync(folder, { throwIfNoEntry: false }) === undefined) {
    checkRunFolder(folder);
    return { plan, folder, reused: false, resumed: false };
  }
  if (plan.command === 'certify') {
    const { done, total, suspects } = await statusOf(folder);
    // certify itself refuses to go on with other options.
    if (done < total || suspects > 0) return { plan, folder, reused: false, resumed: true };
  } else if ((await readSummary(folder))?.command !== plan.command) {
    throw badInput(`--reuse: ${folder} holds no complete run of ${plan.command}`, FIX);
  }
  const there = await readOptions(folder);
  const options = known[plan.command] ?? [];
  const defaults = Object.fromEntries(
    options.flatMap(({ name, default: word }) => (word === undefined ? [] : [[name, word]])),
  );
  const wanted: Options = { ...defaults, ...plan.options };
  // Whatever was drawn for a run that names none is as good as another.
  const asked = options.filter(({ name }) => name !== 'seed' || wanted.seed !== undefined);
  const other = asked.find(({ name }) => (there[name] ?? false) !== (wanted[name] ?? false));
  if (other !== undefined) {
    const [before, here] = [there[other.name], wanted[other.name]].map((word) => word ?? 'not given');
    throw badInput(`--reuse: ${folder} was made with another ${other.name} (${before}, not ${here})`, FIX);
  }
  return { plan, folder, reused: true, resumed: false };
}

const FIX = 'Move it away, or give another --out.';
const onward = (resumed: boolean): string[] => (resumed ? ['--resume'] : []);
