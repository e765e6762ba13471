// What both pictures of a lineage have around them: of whom it is, the way back,
// the tools, and how complete it is.

import type { TaskIndex } from '@dendro/engine';
import { ArrowLeft, ChartNoAxesGantt, Network } from 'lucide-react';
import type { ReactNode } from 'react';
import type { LineageFamily } from '../../layout/lineage-family.ts';
import { familySentences } from '../../layout/lineage-sheet.ts';
import { printableName } from '../../layout/printable.ts';
import type { RowContext } from '../../layout/row-model.ts';
import { type LineageView, view } from '../../state/view-store.ts';
import { ExportMenu } from './export-menu.tsx';

interface FrameProps {
  readonly picture: LineageView['picture'];
  readonly subject: TaskIndex;
  readonly context: RowContext;
  readonly family: LineageFamily;
  /** What those are who are left out because they were not asked for. */
  readonly unwantedAre: string;
  /** What the picture says of itself in an export. */
  readonly about?: readonly string[];
  readonly tools: ReactNode;
  readonly children: ReactNode;
}

export function LineageFrame({
  picture,
  subject,
  context,
  family,
  unwantedAre,
  about = [],
  tools,
  children,
}: FrameProps) {
  const { tree, at } = context;
  const name = printableName(tree.textAt(subject, 'comm', at) ?? '(no name known)');
  const sentences = familySentences(family, unwantedAre);
  return (
    <section
      className="lineage-page"
      data-testid="lineage-page"
      aria-label={`Lineage of ${name} ${tree.pidOf(subject)}`}
    >
      <header className="lineage-tools">
        <button
          type="button"
          className="icon-button"
          title="Back to the tree (Esc)"
          onClick={() => view.closeLineage()}
        >
          <ArrowLeft size={16} aria-hidden="true" />
          <span className="tool-word">Tree</span>
        </button>
        <h2 className="lineage-title">
          <span className="lineage-of">Lineage of </span>
          {name} <small>{tree.pidOf(subject)}</small>
        </h2>
        <fieldset className="switch" aria-label="Picture">
          <Choice current={picture} picture="graph" label="Graph">
            <Network size={14} aria-hidden="true" />
          </Choice>
          <Choice current={picture} picture="lifetimes" label="Lifetimes">
            <ChartNoAxesGantt size={14} aria-hidden="true" />
          </Choice>
        </fieldset>
        <div className="lineage-own-tools">{tools}</div>
        <ExportMenu context={context} family={family} unwantedAre={unwantedAre} about={about} />
      </header>
      {children}
      <p className="lineage-foot" role="status" data-testid="lineage-foot">
        {sentences.map((sentence, i) => (
          <span key={i} className={i === 1 && family.more > 0 ? 'is-warning' : undefined}>
            {sentence}
          </span>
        ))}
      </p>
    </section>
  );
}

interface ChoiceProps {
  readonly current: LineageView['picture'];
  readonly picture: LineageView['picture'];
  readonly label: string;
  readonly children: ReactNode;
}

function Choice({ current, picture, label, children }: ChoiceProps) {
  return (
    <button
      type="button"
      aria-pressed={current === picture}
      aria-label={label}
      title={label}
      onClick={() => view.showPicture(picture)}
    >
      {children}
      <span className="tool-word">{label}</span>
    </button>
  );
}
