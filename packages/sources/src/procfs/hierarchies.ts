import { readFileSync } from 'node:fs';

/** Numbers of this host's hierarchies; undefined where they cannot be read. */
export function ownHierarchies(): readonly number[] | undefined {
  try {
    return hierarchiesIn(readFileSync('/proc/self/cgroup', 'latin1'));
  } catch {
    return undefined; // a kernel without control groups, or a /proc of another pid namespace
  }
}

export function hierarchiesIn(cgroup: string): readonly number[] {
  return [...cgroup.matchAll(/^(\d{1,9}):/gm)].map(([, number]) => Number(number));
}
