/**
 * Where a browser's adapters come from. The twin of host.node.ts; nothing else differs between the two.
 */
import { type AdapterChoice, describeAdapter, type Host, type OpenedAdapter, refuseAdapter } from './host.ts';

export const host: Host = {
  async open(choice: AdapterChoice): Promise<OpenedAdapter> {
    const gpu = navigator.gpu as GPU | undefined;
    if (!gpu) throw refuseAdapter(choice, ['this browser has no navigator.gpu']);
    const wantFallback = choice === 'software';
    const adapter = await gpu.requestAdapter({
      powerPreference: 'high-performance',
      ...(wantFallback ? { forceFallbackAdapter: true } : {}),
    });
    if (!adapter) throw refuseAdapter(choice, ['navigator.gpu.requestAdapter() gave none']);
    const description = describeAdapter(adapter);
    if (choice === 'hardware' && description.kind === 'software') {
      throw refuseAdapter(choice, [`the browser offers only ${description.name}`]);
    }
    return { adapter, description, reason: 'the adapter that the browser prefers' };
  },
  wait: (work) => work,
};
