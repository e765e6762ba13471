import { X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { view } from '../state/view-store.ts';
import { IconButton } from './common/icon-button.tsx';

const KEYS = [
  ['↑ ↓', 'Move between rows'],
  ['→', 'Expand, then to the first child'],
  ['←', 'Collapse, then to the parent'],
  ['*', 'Expand everything below'],
  ['t', 'Show or hide the threads of the process'],
  ['F', 'Follow the process: it is kept in view, and after it its parent'],
  ['Home End', 'First and last row'],
  ['PgUp PgDn', 'A page up or down'],
  ['Enter', 'Details'],
  ['q', 'Open and close the panel of details'],
  ['1…8', 'In it: Overview, Command, Lineage, Threads, Timeline, Files, Network, JSON'],
  ['l', 'Lineage of the selected process, and back'],
  ['H', 'Hosts of this server, and back'],
  ['s', 'Show the subtree alone'],
  ['/', 'Find and filter'],
  ['n N', 'Next and previous match'],
  ['Shift+Enter', 'In the field: only what matches, or all'],
  ['Alt+Enter', 'In the field: search all that is recorded'],
  ['e', 'Export what is shown'],
  ['Y y', 'Copy a link: frozen at this instant, or live'],
  ['> Ctrl+K', 'Commands'],
  ['@', 'Go to a pid or a time'],
  ['Space', 'Pause, or go back to live'],
  ['L', 'Go to the present'],
  [', .', 'Previous and next start, exec or end of a process'],
  ['a', 'Compare: pin this instant as A; B is wherever the playhead goes'],
  ['x', 'In a comparison: swap A and B'],
  ['d D', 'In a comparison: next and previous difference'],
  ['o', 'In a comparison: only what differs, or all'],
  ['Shift+← Shift+→', 'On the strip of time: show an earlier or a later stretch; the instant stays'],
  ['PgUp PgDn', 'On the strip of time: half a stretch back or on'],
  ['+ - 0', 'On the strip of time: closer, wider, as usual'],
  [
    'Esc',
    'Leave the hosts, the search or the lineage, clear the query, close details, leave the comparison, show the whole tree',
  ],
  ['?', 'This help'],
] as const;

const LINEAGE_KEYS = [
  ['← →', 'To the parent, to a child'],
  ['↑ ↓', 'Within a generation'],
  ['Home End', 'The eldest, the process itself'],
  ['Enter', 'Details; at +N more: show them'],
  ['r', 'Lineage of where you are'],
  ['+ - 0', 'Closer, further, all of it'],
  ['Shift ← → ↑ ↓', 'Move the picture'],
] as const;

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="help" aria-labelledby="help-title" onClose={() => view.closeHelp()}>
      <header>
        <h2 id="help-title">Keys</h2>
        <IconButton label="Close" onClick={() => dialog.current?.close()}>
          <X size={16} aria-hidden="true" />
        </IconButton>
      </header>
      <Keys keys={KEYS} />
      <h3>In a lineage</h3>
      <Keys keys={LINEAGE_KEYS} />
      <p>
        A row that has just been born is marked with a bar for three seconds. An exited process stays for a while,
        struck out, and is then folded away unless it is selected; the status bar says how many are, and shows them
        again.
      </p>
      <p>
        Four or more siblings that run the same program as the same user stand in one row, such as <b>worker ×38</b>.
        One that failed or is selected stands beside it. A folded row says what is and was going on below it in the last
        minute. A badge means: other rights than its parent, a setuid program, another container, a program without a
        file, a bad end.
      </p>
    </dialog>
  );
}

function Keys({ keys }: { readonly keys: readonly (readonly [string, string])[] }) {
  return (
    <dl>
      {keys.map(([keys, meaning]) => (
        <div key={keys}>
          <dt>
            {keys.split(' ').map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}
