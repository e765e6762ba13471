import { Download } from 'lucide-react';
import { useEffect } from 'react';
import { useApp } from '../../app-context.ts';
import { offerLineageExports } from '../../commands/lineage-exports.ts';
import { lineageDot } from '../../layout/lineage-dot.ts';
import type { LineageFamily } from '../../layout/lineage-family.ts';
import { lineageLayout } from '../../layout/lineage-layout.ts';
import { type LineageSheet, lineageSheet } from '../../layout/lineage-sheet.ts';
import { lineageSvg } from '../../layout/lineage-svg.ts';
import { lineageText } from '../../layout/lineage-text.ts';
import type { RowContext } from '../../layout/row-model.ts';
import { download } from '../common/download.ts';
import { Popover } from '../common/popover.tsx';

interface Format {
  readonly name: string;
  readonly for: string;
  readonly ending: string;
  readonly type: string;
  readonly write: (sheet: LineageSheet) => string;
}

const FORMATS: readonly Format[] = [
  { name: 'SVG', for: 'a picture', ending: 'svg', type: 'image/svg+xml', write: lineageSvg },
  { name: 'DOT', for: 'for Graphviz', ending: 'dot', type: 'text/vnd.graphviz', write: lineageDot },
  { name: 'Text', for: 'a tree of lines', ending: 'txt', type: 'text/plain;charset=utf-8', write: lineageText },
];

interface ExportMenuProps {
  readonly context: RowContext;
  readonly family: LineageFamily;
  readonly unwantedAre: string;
  readonly about: readonly string[];
}

/** What is shown as a file; the file says of which instant it is, and what is not in it. */
export function ExportMenu({ context, family, unwantedAre, about }: ExportMenuProps) {
  const { replica } = useApp();
  const save = ({ ending, type, write }: Format): void => {
    const hostName = replica.host?.name ?? 'unknown host';
    const sheet = lineageSheet(context, family, lineageLayout(family), { hostName, unwantedAre, about });
    download(new Blob([write(sheet)], { type }), `${sheet.fileName}.${ending}`);
  };
  useEffect(() =>
    offerLineageExports(FORMATS.map((format) => ({ title: format.name, keys: format.for, run: () => save(format) }))),
  );
  return (
    <Popover
      className="menu"
      title="Export what is shown"
      testId="export"
      summary={
        <>
          <Download size={16} aria-hidden="true" />
          <span className="tool-word">Export</span>
        </>
      }
    >
      {FORMATS.map((format) => (
        <button key={format.name} type="button" className="menu-action" onClick={() => save(format)}>
          {format.name} <small>{format.for}</small>
        </button>
      ))}
    </Popover>
  );
}
