import { ArrowLeft } from 'lucide-react';
import type { ReactNode } from 'react';
import { view } from '../../state/view-store.ts';

interface ListHeadProps {
  /** Of the heading, by which the list is called. */
  readonly id: string;
  readonly title: string;
  readonly children: ReactNode;
}

/** Of a list that is shown in place of the tree: the way back, and what it is. */
export function ListHead({ id, title, children }: ListHeadProps) {
  return (
    <header className="list-head">
      <button type="button" className="icon-button" title="Back (Esc)" onClick={() => view.closeList()}>
        <ArrowLeft size={16} aria-hidden="true" />
        <span className="tool-word">Tree</span>
      </button>
      <h2 id={id}>{title}</h2>
      {children}
    </header>
  );
}
