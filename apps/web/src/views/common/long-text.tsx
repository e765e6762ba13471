import { useState } from 'react';
import { count } from '../../layout/format.ts';
import { printable } from '../../layout/printable.ts';

/** More is shown when somebody asks for it. */
const SHORT = 400;

interface LongTextProps {
  readonly text: string;
  /** Characters that are shown at once. */
  readonly limit?: number;
}

/** Text of the host: what cannot be seen is written out, and what is long is cut with its true length. */
export function LongText({ text, limit = SHORT }: LongTextProps) {
  const [isWhole, setIsWhole] = useState(false);
  if (text.length <= limit) return printable(text);
  return (
    <>
      {printable(isWhole ? text : text.slice(0, limit).toWellFormed())}
      {!isWhole && '… '}
      <button
        type="button"
        className="link long-toggle"
        aria-expanded={isWhole}
        onClick={() => setIsWhole((isWhole) => !isWhole)}
      >
        {isWhole ? 'show less' : `show all ${count(text.length)} characters`}
      </button>
    </>
  );
}
