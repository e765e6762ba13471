// What the comparison of two instants says of one row: a mark, and the same in
// words.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { type EventNs, epochMsOf, type FieldName, TASK_FLAG, type TimeBase } from '@dendro/protocol';
import { CHANGE, type ChangeCounts, type Changes } from './compare.ts';
import { FIELD_TITLES } from './field-text.ts';
import { clockTime, count, millisecondsOf } from './format.ts';
import { printableName } from './printable.ts';

export interface RowChange {
  readonly kind: keyof typeof CHANGE;
  readonly glyph: string;
  /** What the glyph means. */
  readonly words: string;
  /** Stands in the row: what has changed of it. */
  readonly note: string;
}

export const GLYPH = { born: '+', died: '−', changed: '~', moved: '↷' } as const;

export function fieldLabel(field: FieldName): string {
  return FIELD_TITLES[field].toLowerCase();
}

/** @returns undefined for who is the same at both instants */
export function rowChange(
  changes: Changes,
  tree: TemporalTree,
  task: TaskIndex,
  position: number,
  base: TimeBase,
): RowChange | undefined {
  const bits = changes.at(position);
  if (bits === 0) return undefined;
  const { a, b } = changes;
  const time = (at: EventNs) =>
    clockTime(base, at, epochMsOf(base, Math.max(a, b) as EventNs)) + millisecondsOf(base, at);
  if (bits === CHANGE.born || bits === CHANGE.died) {
    const isBorn = bits === CHANGE.born;
    return { kind: isBorn ? 'born' : 'died', glyph: isBorn ? GLYPH.born : GLYPH.died, note: '', words: said(isBorn) };
  }
  const fields = changes.fieldsAt(position).map(fieldLabel);
  const isMoved = (bits & CHANGE.moved) !== 0;
  const was = isMoved ? `was under ${calledAt(tree, tree.parentAt(task, a), a)}` : '';
  const changed = fields.length === 0 ? '' : `changed since A: ${fields.join(', ')}`;
  return {
    kind: isMoved ? 'moved' : 'changed',
    glyph: `${fields.length > 0 ? GLYPH.changed : ''}${isMoved ? GLYPH.moved : ''}`,
    words: [changed, isMoved && `has another parent than at A: it ${was}`].filter(Boolean).join('; '),
    note: [fields.join(', '), was].filter(Boolean).join(' · '),
  };

  function said(isBorn: boolean): string {
    const [start, exit] = [tree.startOf(task), tree.exitOf(task)];
    if (isBorn !== a <= b) {
      // It ended between the two.
      return isBorn ? `there at B, ended by A, at ${time(exit)}` : `ended since A, at ${time(exit)}`;
    }
    if (!isBorn) return `there at A, not begun at B: it began at ${time(start)}`;
    const isKnown = (tree.flagsOf(task) & TASK_FLAG.startIsUnknown) === 0;
    return isKnown ? `began since A, at ${time(start)}` : `seen since A, from ${time(start)} on: it may be older`;
  }
}

export function calledAt(tree: TemporalTree, task: TaskIndex, at: EventNs): string {
  if (task === NO_TASK) return 'nobody known';
  return `${printableName(tree.textAt(task, 'comm', at) ?? '?')} [${tree.tidOf(task)}]`;
}

/** `+14 −9 ~3 ↷1`; what is 0 is left out. */
export function changeText(counts: ChangeCounts): string {
  return (Object.keys(GLYPH) as (keyof ChangeCounts)[])
    .filter((what) => counts[what] > 0)
    .map((what) => `${GLYPH[what]}${count(counts[what])}`)
    .join(' ');
}

/** `14 began, 9 ended, 3 changed, 1 has another parent`; empty where nothing differs. */
export function changeWords({ born, died, changed, moved }: ChangeCounts): string {
  return [
    born > 0 && `${count(born)} at B alone`,
    died > 0 && `${count(died)} at A alone`,
    changed > 0 && `${count(changed)} changed`,
    moved > 0 && `${count(moved)} under another parent`,
  ]
    .filter(Boolean)
    .join(', ');
}
