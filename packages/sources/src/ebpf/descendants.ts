// Who is of one tree when the programs that tell of it are attached anew: what
// was known of it before, and what descends from that by now.

import { ProcFiles } from '../procfs/proc-files.ts';
import { parseStatLine } from '../procfs/stat-line.ts';

/**
 * Tells of each process of the tree once. Who is born while it looks is either found, or the child of somebody who was
 * told of already, which the kernel takes notice of by itself: so it looks until there is nobody new.
 *
 * @param known of the tree; who of them has ended is passed over
 */
export function tellDescendants(
  known: Iterable<number>,
  tell: (pid: number) => void,
  files = new ProcFiles('/proc'),
): void {
  const wanted = new Set(known);
  const told = new Set<number>();
  for (let hasNews = true; hasNews; ) {
    hasNews = false;
    for (const pid of files.pids()) {
      if (told.has(pid)) continue;
      if (!wanted.has(pid) && !told.has(parseStatLine(files.text(`${files.root}/${pid}/stat`) ?? '')?.ppid ?? 0))
        continue;
      told.add(pid);
      tell(pid);
      hasNews = true;
    }
  }
}
