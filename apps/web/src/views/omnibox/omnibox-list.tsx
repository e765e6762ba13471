import { ChevronRight, Clock, CornerDownLeft, History, Pencil, Terminal } from 'lucide-react';
import { useEffect } from 'react';
import type { QueryProblem } from '../../query/parse-value.ts';
import type { Offer, Option } from './options.ts';

export const OMNIBOX_LIST = 'omnibox-list';

export function optionId(index: number): string {
  return `omnibox-option-${index}`;
}

interface OmniboxListProps {
  readonly offer: Offer;
  readonly problem: QueryProblem | undefined;
  readonly text: string;
  /** Else only what is wrong is shown. */
  readonly isOpen: boolean;
  readonly active: number;
  readonly choose: (option: Option) => void;
}

const ICONS = {
  recent: Clock,
  completion: ChevronRight,
  fix: Pencil,
  command: Terminal,
  goal: CornerDownLeft,
  search: History,
};

export function OmniboxList({ offer, problem, text, isOpen, active, choose }: OmniboxListProps) {
  const { options, note } = offer;
  const isUnfinished = isOpen && problem?.isUnfinished === true && problem.to === text.trimEnd().length;
  useEffect(() => {
    document.getElementById(optionId(active))?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div className="omnibox-panel">
      {problem !== undefined && (
        <p
          className={isUnfinished ? 'omnibox-problem is-unfinished' : 'omnibox-problem'}
          id="omnibox-problem"
          role="status"
        >
          {!isUnfinished && <Place problem={problem} text={text} />}
          {problem.message}
        </p>
      )}
      {note !== undefined && (
        <p className="omnibox-note" role="status">
          {note}
        </p>
      )}
      <div
        id={OMNIBOX_LIST}
        role="listbox"
        aria-label="Suggestions"
        className="omnibox-options"
        tabIndex={-1}
        hidden={!isOpen}
      >
        {options.map((option, i) => {
          const Icon = ICONS[option.kind];
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field handles the keys for all options
            <div
              key={`${option.kind}${option.label}`}
              id={optionId(i)}
              role="option"
              aria-selected={i === active}
              className="omnibox-option"
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => choose(option)}
            >
              <Icon size={13} aria-hidden="true" />
              <span className="omnibox-label">{option.label}</span>
              <span className="omnibox-detail">{option.detail}</span>
            </div>
          );
        })}
      </div>
      {isOpen && <Foot text={text} />}
    </div>
  );
}

/** The query with the place that is wrong. */
function Place({ problem: { from, to }, text }: { readonly problem: QueryProblem; readonly text: string }) {
  return (
    <code className="omnibox-place" aria-hidden="true">
      {text.slice(0, from)}
      <u>{text.slice(from, to) || ' '}</u>
      {text.slice(to)}
    </code>
  );
}

function Foot({ text }: { readonly text: string }) {
  if (text.startsWith('>'))
    return <p className="omnibox-foot">Letters in order will do: skt for Show kernel threads</p>;
  if (text.startsWith('@')) return <p className="omnibox-foot">@4242 a process · @14:03 a time · @-5m · @live</p>;
  return (
    <p className="omnibox-foot">
      <span>words find</span>
      <span>
        <code>user:root</code> filters
      </span>
      <span>
        <code>!</code> not
      </span>
      <span>
        <code>|</code> or
      </span>
      <span>
        <code>/re/</code>
      </span>
      <span>
        <code>&gt;</code> commands
      </span>
      <span>
        <code>@</code> go to
      </span>
    </p>
  );
}
