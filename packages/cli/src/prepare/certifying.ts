/** What `predict` and `certify` have in common: their options, and everything up to the first image. */
import { type BoundMethod, checkPlan, type Pipeline, type Plan } from '@turnproof/certify';
import type { CommandContext } from '../command.ts';
import { classRemark } from '../data/class-words.ts';
import { readBoundMethod } from '../options/bound.ts';
import { dataOptions, readData } from '../options/data.ts';
import { type DeviceChoice, deviceOptions, readDevice } from '../options/device.ts';
import { modelOptions, readModel, readPreparation } from '../options/model.ts';
import { pipelineOptions, readPipeline } from '../options/pipeline.ts';
import { readPlan } from '../options/plan.ts';
import type { OptionGroup } from '../options/values.ts';
import type { CalibrationFile } from '../run/calibration-file.ts';
import { checkAttackedImages } from './attacked.ts';
import { calibrationFor, checkCalibrated } from './calibrated.ts';
import { type Engine, openEngine } from './engine.ts';
import { checkImages, type HostModel, openHostModel, openSelection, type SelectedData } from './inputs.ts';

export const sharedOptions: readonly OptionGroup[] = [dataOptions, modelOptions, pipelineOptions];
export const runOptions: readonly OptionGroup[] = [deviceOptions];

/** What is known before a GPU is asked for anything. */
export interface Checked {
  readonly selected: SelectedData & { readonly sha256: string; readonly selection: string };
  readonly pipeline: Pipeline;
  readonly plan: Plan;
  readonly boundMethod: BoundMethod;
  readonly device: DeviceChoice;
  /** dist-d: what the certificates rest on. */
  readonly calibration: CalibrationFile | null;
  /** Of the data's classes, where they need not be the model's. */
  readonly remark: string | null;
  /** The caller releases its `host`, or hands it on to `open`. */
  readonly opened: HostModel;
}

export interface Prepared extends Omit<Checked, 'opened'> {
  readonly engine: Engine;
}

/**
 * Checks all that was given, images and model included.
 *
 * @param early what else must be right before the GPU is asked for anything
 */
export async function check(
  { console, values }: Pick<CommandContext, 'console' | 'values'>,
  methods: Parameters<typeof readPlan>[2],
  early: () => void = () => undefined,
): Promise<Checked> {
  const pipeline = readPipeline(values);
  const asked = readPlan(values, pipeline.range, methods);
  const calibration = await calibrationFor(values, asked, pipeline);
  const plan = calibration ? { ...asked, calibration: calibration.summary } : asked;
  const boundMethod = readBoundMethod(values, pipeline.transform);
  const device = readDevice(values);
  const path = readModel(values);
  const preparation = readPreparation(values);
  const choice = readData(values);
  const selected = await openSelection(choice, pipeline);
  if (calibration) await checkCalibrated(calibration, plan, pipeline, selected);
  checkPlan(plan, pipeline);
  early();
  const opened = await openHostModel(path, selected, device.threads, preparation);
  let digests: { readonly sha256: string; readonly selection: string };
  try {
    digests = await checkImages(selected, { file: path, classes: opened.host.classes }, console);
    if (plan.method === 'indiv') await checkAttackedImages(selected, pipeline, console);
  } catch (error) {
    await opened.host.release();
    throw error;
  }
  const remark = classRemark(selected.data.named, opened.host.classes);
  if (remark !== null) console.note(remark);
  return {
    selected: { ...selected, ...digests },
    pipeline,
    plan,
    boundMethod,
    device,
    calibration,
    remark,
    opened,
  };
}

/** Opens GPU and classifier of what was checked. The caller closes the engine. */
export async function open(
  { console }: Pick<CommandContext, 'console'>,
  { opened, ...checked }: Checked,
): Promise<Prepared> {
  const { device, selected, plan } = checked;
  const engine = await openEngine(device, opened, selected, plan, console);
  return { ...checked, engine };
}

/** Both; see `check`. */
export async function prepare(...args: Parameters<typeof check>): Promise<Prepared> {
  return open(args[0], await check(...args));
}
