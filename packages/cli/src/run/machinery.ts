/** Opens what a run works with; again where it broke. */
import { Certifier, type Progress } from '@turnproof/certify';
import type { CommandContext } from '../command.ts';
import { readModel, readPreparation } from '../options/model.ts';
import { type Checked, open } from '../prepare/certifying.ts';
import { openHostModel } from '../prepare/inputs.ts';
import type { OpenMachinery } from './survivor.ts';

/** Opens GPU, classifier and certifier, the first time with the model that was opened to be checked. */
export function openerOf(
  context: Pick<CommandContext, 'console' | 'values'>,
  checked: Checked,
  onProgress: (progress: Progress) => void,
): OpenMachinery {
  const { selected, pipeline, plan, boundMethod, device } = checked;
  const { values } = context;
  let first = true;
  return async (batch, unchecked) => {
    const opened = first
      ? checked.opened
      : await openHostModel(readModel(values), selected, device.threads, readPreparation(values));
    first = false;
    const { engine } = await open(context, { ...checked, opened });
    try {
      const { gpu, classifier, reference } = engine;
      const certifier = await Certifier.open({
        ...{ gpu, classifier, reference, pipeline, boundMethod, onProgress },
        shape: selected.data.shape,
        plan: batch === null ? plan : { ...plan, batch },
      });
      const close = async () => {
        try {
          await certifier.close();
        } finally {
          await engine.close();
        }
      };
      return { engine, certifier, guard: engine.guard(certifier.batch, unchecked), close };
    } catch (error) {
      await engine.close();
      throw error;
    }
  };
}
