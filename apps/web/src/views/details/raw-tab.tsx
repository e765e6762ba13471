// What the API answers about the task at this instant, made here of what the
// page holds.

import { DataNotFoundError, ProcessTreeDataSource, processJson, threadJson } from '@dendro/engine';
import { type EventNs, epochOf } from '@dendro/protocol';
import { Download } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { count } from '../../layout/format.ts';
import { printable } from '../../layout/printable.ts';
import { useView } from '../../state/view-store.ts';
import { CopyButton } from '../common/copy-button.tsx';
import { download } from '../common/download.ts';
import type { TaskProps } from './field.tsx';

/** Characters that are shown; a copy has all. */
const MAX_SHOWN = 100_000;

/** To list the children of init all tasks are looked at: live, that is done once in a while. */
const EVERY_MS = 1000;

export function RawTab({ tree, task, at: now, base }: TaskProps) {
  const { host } = useApp().replica;
  const at = useSeldom(now);
  const json = useMemo(() => {
    const source = new ProcessTreeDataSource({
      tree,
      resolve: () => {
        if (tree.isPresent(task)) return task;
        throw new DataNotFoundError();
      },
    });
    const key = { task: { taskId: tree.taskIdOf(task) }, time: at };
    const answer = tree.isThread(task)
      ? threadJson(base, source.get({ kind: 'ThreadKey', ...key }).thread_info)
      : processJson(base, source.get({ kind: 'ProcKey', ...key }).process_info);
    return JSON.stringify(answer, null, 2);
  }, [tree, task, at, base.epochNs]);
  const kind = tree.isThread(task) ? 'thread' : 'process';
  const plural = kind === 'thread' ? 'threads' : 'processes';
  const path = `/api/v1/hosts/${encodeURIComponent(host?.id ?? 'local')}/${plural}/${tree.taskIdOf(task)}?at=${epochOf(base, at)}`;
  const name = `${kind}-${tree.tidOf(task)}-${epochOf(base, at)}.json`;
  const shown = json.slice(0, MAX_SHOWN).toWellFormed();
  return (
    <>
      <p className="tab-tools">
        <CopyButton label="Copy JSON" text={json} />
        <button
          type="button"
          className="copy-button"
          onClick={() => download(new Blob([json], { type: 'application/json' }), name)}
        >
          <Download size={13} aria-hidden="true" /> Download
        </button>
        <CopyButton label="Copy the path of the API" text={path} />
      </p>
      {/* Line breaks are those of the JSON: within its texts they are escaped already. */}
      <pre className="raw" data-testid="raw-json">
        {shown.split('\n').map(printable).join('\n')}
      </pre>
      {shown.length < json.length && (
        <p className="cut-mark" role="note">
          {count(json.length - shown.length)} more characters are in the copy and the download.
        </p>
      )}
    </>
  );
}

/** The instant, as it was a second ago at most; one that is held at once. */
function useSeldom(now: EventNs): EventNs {
  const pausedAt = useView((state) => state.pausedAt);
  const [taken, setTaken] = useState({ at: now, time: performance.now() });
  const time = performance.now();
  if (pausedAt !== undefined) return now;
  if (time - taken.time < EVERY_MS) return taken.at;
  setTaken({ at: now, time });
  return now;
}
