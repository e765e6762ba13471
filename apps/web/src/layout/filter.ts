// What the filter finds: a name, a command line, a path, a pid or tid, a user.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';

/** Written filter -> the question asked of each task; undefined when nothing is filtered. */
export function matcher(
  written: string,
  tree: TemporalTree,
  at: EventNs,
  users: Readonly<Record<string, string>>,
): ((task: TaskIndex) => boolean) | undefined {
  const wanted = written.trim();
  if (wanted === '') return undefined;
  const text = toPattern(wanted);
  const id = /^\d{1,7}$/.test(wanted) ? Number(wanted) : undefined;
  const uids = new Set(
    Object.keys(users)
      .filter((uid) => users[uid]?.toLowerCase() === wanted.toLowerCase())
      .map(Number),
  );
  const finds = (value: string | undefined) => value !== undefined && text.test(value);
  // hot: runs once per task and frame while a filter is set
  return (task) => {
    if (id !== undefined && tree.tidOf(task) === id) return true;
    if (finds(tree.textAt(task, 'comm', at))) return true;
    if (tree.isThread(task)) return false;
    if (finds(tree.wireTextAt(task, 'argv', at))) return true;
    if (finds(tree.executablePathAt(task, at))) return true;
    if (uids.size === 0) return false;
    const uid = tree.numberAt(task, 'uid', at);
    return uid !== undefined && uids.has(uid);
  };
}

export interface Marked {
  readonly before: string;
  readonly found: string;
  readonly after: string;
}

/** Where in a text that is shown the filter was found; undefined when it was not. */
export function markedPart(text: string, written: string): Marked | undefined {
  const wanted = written.trim();
  const match = wanted === '' ? null : toPattern(wanted).exec(text);
  if (match === null) return undefined;
  const end = match.index + match[0].length;
  return { before: text.slice(0, match.index), found: match[0], after: text.slice(end) };
}

/** Arguments are separated by NUL in what the tree holds: a blank stands for either. */
function toPattern(wanted: string): RegExp {
  const literal = wanted.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&').replace(/\s+/g, '[\\s\\0]+');
  return new RegExp(literal, 'i');
}
