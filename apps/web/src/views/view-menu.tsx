import { ChevronsDownUp, ChevronsUpDown, SlidersHorizontal } from 'lucide-react';
import { useApp } from '../app-context.ts';
import { processesOf } from '../commands/processes-of.ts';
import { COLUMN_IDS, COLUMNS } from '../layout/columns.ts';
import { duration } from '../layout/format.ts';
import type { Density } from '../layout/row-window.ts';
import { treeView, useTree } from '../state/tree-store.ts';
import { TOMBSTONE_CHOICES, useView, view } from '../state/view-store.ts';
import { IconButton } from './common/icon-button.tsx';
import { Popover } from './common/popover.tsx';

/** What the tree shows. */
export function ViewMenu() {
  const { replica } = useApp();
  const showThreads = useView((state) => state.showThreads);
  const showKernelThreads = useView((state) => state.showKernelThreads);
  const showExited = useView((state) => state.showExited);
  const groupsAlike = useTree((state) => state.groupsAlike);
  const hidesOwn = useTree((state) => state.hidesOwn);
  const tombstoneSeconds = useView((state) => state.tombstoneSeconds);
  return (
    <>
      <IconButton label="Collapse all" onClick={() => view.collapse(processesOf(replica.tree))}>
        <ChevronsDownUp size={16} aria-hidden="true" />
      </IconButton>
      <IconButton label="Expand all" onClick={() => view.expandAll()}>
        <ChevronsUpDown size={16} aria-hidden="true" />
      </IconButton>
      <Popover
        className="menu"
        title="What is shown"
        summary={
          <>
            <SlidersHorizontal size={16} aria-hidden="true" />
            <span className="menu-word">View</span>
          </>
        }
      >
        <Toggle label="Threads of all processes" isOn={showThreads} onChange={() => view.toggle('showThreads')} />
        <Toggle label="Kernel threads" isOn={showKernelThreads} onChange={() => view.toggle('showKernelThreads')} />
        <Toggle label="All exited processes still known" isOn={showExited} onChange={() => view.toggle('showExited')} />
        <Toggle label="Siblings that are alike in one row" isOn={groupsAlike} onChange={() => treeView.toggleAlike()} />
        <Toggle label="Processes of Dendro itself" isOn={!hidesOwn} onChange={() => treeView.toggleOwn()} />
        <label className="menu-choice">
          <span>Exited rows stay for</span>
          <select
            value={tombstoneSeconds}
            disabled={showExited}
            onChange={(event) => view.keepTombstones(Number(event.target.value))}
          >
            {TOMBSTONE_CHOICES.map((seconds) => (
              <option key={seconds} value={seconds}>
                {duration(seconds * 1e9)}
              </option>
            ))}
          </select>
        </label>
        <Columns />
      </Popover>
    </>
  );
}

function Columns() {
  const columns = useTree((state) => state.columns);
  const density = useTree((state) => state.density);
  const isUtc = useTree((state) => state.isUtc);
  return (
    <>
      <fieldset className="menu-group">
        <legend>Columns</legend>
        <div className="menu-columns">
          {COLUMN_IDS.map((id) => (
            <label key={id}>
              <input type="checkbox" checked={columns.includes(id)} onChange={() => treeView.toggleColumn(id)} />
              {COLUMNS[id].label}
            </label>
          ))}
        </div>
        <p className="hint">
          In a narrow window some are left out, so that names can be read.{' '}
          <button type="button" className="link" onClick={() => treeView.usualColumns()}>
            The usual columns
          </button>
        </p>
      </fieldset>
      <label className="menu-choice">
        <span>Rows</span>
        <select value={density} onChange={(event) => treeView.setDensity(event.target.value as Density)}>
          <option value="comfortable">comfortable</option>
          <option value="compact">compact</option>
        </select>
      </label>
      <label className="menu-choice">
        <span>Times</span>
        <select value={String(isUtc)} onChange={(event) => treeView.showUtc(event.target.value === 'true')}>
          <option value="false">{Intl.DateTimeFormat().resolvedOptions().timeZone}</option>
          <option value="true">UTC</option>
        </select>
      </label>
    </>
  );
}

interface ToggleProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: () => void;
}

function Toggle({ label, isOn, onChange }: ToggleProps) {
  return (
    <label className="menu-choice">
      <span>{label}</span>
      <input type="checkbox" checked={isOn} onChange={onChange} />
    </label>
  );
}
