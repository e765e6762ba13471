// Where the worker thread begins. The kernel takes its time to check the programs of eBPF, so the child process that loads
// them is started before the rest of the thread is read.

import { workerData } from 'node:worker_threads';
import { BpfChild, childOptions, mayUseEbpf } from '@dendro/sources';
import type { EarlyOptions } from './messages.ts';

const early = workerData as EarlyOptions | undefined;

/** Is eBPF what will be tried first? */
function willUseEbpf({ source }: EarlyOptions): boolean {
  return (source === undefined || source === 'ebpf') && mayUseEbpf();
}

const child = early !== undefined && willUseEbpf(early) ? new BpfChild(childOptions(early.kernel ?? {})) : undefined;
const { work } = await import('./worker.ts');
await work(child);
