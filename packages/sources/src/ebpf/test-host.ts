// What tests ask this machine about BPF.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { DendroError } from '@dendro/protocol';
import { EbpfSource } from './ebpf-source.ts';

/** @returns undefined when eBPF can be used here */
export async function whyNoEbpf(): Promise<string | undefined> {
  const source = new EbpfSource();
  try {
    await source.start(() => {});
  } catch (thrown) {
    if (thrown instanceof DendroError) return thrown.message;
    throw thrown;
  }
  await source.stop();
  return undefined;
}

/** Ids that the kernel has given, `map 12` say. */
export type BpfIds = ReadonlySet<string>;

/** What a process holds: to be asked for by root. Empty when it is gone. */
export function bpfIdsOf(pid: number | string): BpfIds {
  const ids = new Set<string>();
  const folder = `/proc/${pid}/fdinfo`;
  for (const fd of namesIn(folder)) {
    for (const [, kind, id] of textOf(`${folder}/${fd}`).matchAll(/^(map|prog|link)_id:\s*(\d+)$/gm)) {
      ids.add(`${kind} ${id}`);
    }
  }
  return ids;
}

/** Those that the kernel still has: in the hands of any process, or where there is bpftool, at all. */
export function livingBpf(ids: BpfIds): BpfIds {
  const held = new Set(
    namesIn('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => [...bpfIdsOf(pid)]),
  );
  return new Set([...ids].filter((id) => held.has(id) || isShown(id)));
}

/** The kernel's own counts of what a child has attached, from the map itself; undefined where bpftool is not there to read it. */
export function countsOf(child: number): { readonly seen: number; readonly lost: number } | undefined {
  const maps = [...bpfIdsOf(child)].filter((id) => id.startsWith('map ')).map((id) => id.slice(4));
  const counters = maps.find((id) => bpftool<{ name?: string }>('map', 'show', 'id', id)?.name === 'counters');
  if (counters === undefined) return undefined;
  const cpus = bpftool<{ formatted: { value: { seen: number; lost: number } } }[]>('map', 'dump', 'id', counters);
  const values = cpus?.map(({ formatted }) => formatted.value) ?? [];
  return {
    seen: values.reduce((sum, { seen }) => sum + seen, 0),
    lost: values.reduce((sum, { lost }) => sum + lost, 0),
  };
}

function bpftool<Answer>(...words: readonly string[]): Answer | undefined {
  const { status, stdout } = spawnSync('bpftool', ['-j', ...words], { encoding: 'utf8' });
  return status === 0 ? (JSON.parse(stdout) as Answer) : undefined;
}

function isShown(id: string): boolean {
  const [kind = '', number = ''] = id.split(' ');
  return bpftool(kind, 'show', 'id', number) !== undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it has ended
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
