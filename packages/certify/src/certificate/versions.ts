/**
 * Versions that a certificate names. Written down here because a library cannot ask its own package.json everywhere it
 * runs; a test compares them with what is installed.
 */
export const VERSIONS = {
  turnproof: '0.1.0',
  'onnxruntime-web': '1.30.0',
  webgpu: '0.6.2',
} as const;

/** In a browser WebGPU is the browser's own. */
export function currentVersions(): Record<keyof typeof VERSIONS, string> {
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined;
  return { ...VERSIONS, webgpu: inNode ? VERSIONS.webgpu : 'browser' };
}
