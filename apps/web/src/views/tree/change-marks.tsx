// What the comparison of two instants marks in a row.

import { changeText, changeWords, type RowChange } from '../../layout/change-words.ts';
import type { ChangeCounts } from '../../layout/compare.ts';

/** At the edge of the grid, one under the other; the words are in the name's cell. */
export function ChangeGlyph({ glyph, words }: RowChange) {
  return (
    <span className="change-glyph" title={words} aria-hidden="true">
      {glyph}
    </span>
  );
}

export function ChangeNote({ note, words }: RowChange) {
  return (
    <>
      <span className="visually-hidden">{words}</span>
      {note !== '' && (
        <span className="tag change-note" title={words} aria-hidden="true">
          {note}
        </span>
      )}
    </>
  );
}

export function ChangesBelow(counts: ChangeCounts) {
  const text = changeText(counts);
  if (text === '') return null;
  return (
    <span className="rollup changes-below" title={`Below: ${changeWords(counts)}`}>
      <span aria-hidden="true">{text}</span>
      <span className="visually-hidden">below: {changeWords(counts)}</span>
    </span>
  );
}
