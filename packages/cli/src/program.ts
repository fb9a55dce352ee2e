/** All commands under one name. Not for running them: see main.ts. */
import { Command } from 'commander';
import { addCommand, type Outcome } from './command.ts';
import { attack } from './commands/attack.ts';
import { bound } from './commands/bound.ts';
import { calibrate } from './commands/calibrate.ts';
import { certify } from './commands/certify.ts';
import { doctor } from './commands/doctor.ts';
import { experiment } from './commands/experiment.ts';
import { merge } from './commands/merge.ts';
import { inspect } from './commands/model-inspect.ts';
import { predict } from './commands/predict.ts';
import { report } from './commands/report.ts';
import { status } from './commands/status.ts';
import { verify } from './commands/verify.ts';
import { version } from './version.ts';

const EXAMPLES = `
Exit status: 0 done; 2 usage or bad input; 42 failed for good; 75 worth another try; 130 interrupted.

Examples:
  $ turnproof doctor
  $ ${certify.example}`;

/** Room for the widest option and words beside it. */
const helpWidth = (): number => Math.min(120, Math.max(100, process.stdout.columns ?? 0));

export function buildProgram(outcome: Outcome): Command {
  const program = new Command('turnproof')
    .description('Certify that an image classifier keeps its answer when the image is rotated or shifted.')
    .version(version(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .showSuggestionAfterError()
    .exitOverride()
    // Refusals are printed in one place, failure.ts.
    .configureOutput({ outputError: () => undefined, getOutHelpWidth: helpWidth, getErrHelpWidth: helpWidth })
    .addHelpText('after', EXAMPLES);
  for (const spec of [
    doctor,
    bound,
    predict,
    attack,
    calibrate,
    certify,
    status,
    merge,
    verify,
    report,
    experiment,
  ])
    addCommand(program, spec, outcome);
  const model = program
    .command('model')
    .summary('look at a classifier')
    .description('Look at a classifier.')
    .helpOption('--help', 'print this help');
  addCommand(model, inspect, outcome);
  return program;
}
