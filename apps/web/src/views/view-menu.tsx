import { ChevronsDownUp, ChevronsUpDown, SlidersHorizontal } from 'lucide-react';
import { useApp } from '../app-context.ts';
import { processesOf } from '../commands/processes-of.ts';
import { duration } from '../layout/format.ts';
import { TOMBSTONE_CHOICES, useView, view } from '../state/view-store.ts';
import { IconButton } from './common/icon-button.tsx';
import { Popover } from './common/popover.tsx';

/** What the tree shows. */
export function ViewMenu() {
  const { replica } = useApp();
  const showThreads = useView((state) => state.showThreads);
  const showKernelThreads = useView((state) => state.showKernelThreads);
  const showExited = useView((state) => state.showExited);
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
      </Popover>
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
