// An order drawn as text, for tests: indentation is depth.

import type { TreeOrder } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';

export function orderOf(text: string): { readonly order: TreeOrder; readonly names: readonly string[] } {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const depths = lines.map((line) => (line.length - line.trimStart().length) / 2);
  const ends = depths.map((depth, i) => {
    const end = depths.findIndex((other, j) => j > i && other <= depth);
    return end < 0 ? depths.length : end;
  });
  const order: TreeOrder = {
    at: 0 as EventNs,
    length: lines.length,
    tasks: Int32Array.from(lines.keys()),
    depths: Uint16Array.from(depths),
    subtreeEnds: Int32Array.from(ends),
    threadCounts: new Int32Array(lines.length),
    hiddenKernelThreads: 0,
    foldedExited: 0,
  };
  return { order, names: lines.map((line) => line.trim()) };
}
