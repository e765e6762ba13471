// A recording can be dropped anywhere on the page, or chosen.

import { FolderOpen, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useApp } from '../app-context.ts';
import { printable } from '../layout/printable.ts';
import { dismissOpening, openRecording, useOpening } from '../recording/open-recording.ts';
import { IconButton } from './common/icon-button.tsx';

export function OpenButton() {
  const app = useApp();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton label="Open a recording, or drop one on the page" onClick={() => input.current?.click()}>
        <FolderOpen size={16} aria-hidden="true" />
      </IconButton>
      <input
        ref={input}
        type="file"
        hidden
        data-testid="open-recording"
        onChange={({ target }) => {
          const file = target.files?.[0];
          if (file !== undefined) void openRecording(file, app);
          target.value = ''; // the same one can be chosen again
        }}
      />
    </>
  );
}

/** What is to be seen while a file is over the page or being read, and when it could not be. */
export function Opening() {
  const isOver = useFileOver();
  const opening = useOpening();
  if (isOver) {
    return (
      <div className="drop-target" aria-hidden="true">
        <p>Drop a recording, an audit log, or what Tracee or strace wrote, to look into it. It stays in this page.</p>
      </div>
    );
  }
  if (opening.kind === 'none') return null;
  const name = printable(opening.name);
  return (
    <div className="toast" role={opening.kind === 'failed' ? 'alert' : 'status'} data-testid="opening">
      {opening.kind === 'reading' ? (
        <>
          <span className="toast-text">Reading {name}</span>
          <progress value={opening.part} aria-label={`Reading ${name}`} />
        </>
      ) : (
        <span className="toast-text">
          {name}: {opening.message}
        </span>
      )}
      <IconButton label={opening.kind === 'reading' ? 'Stop reading' : 'Close'} onClick={dismissOpening}>
        <X size={16} aria-hidden="true" />
      </IconButton>
    </div>
  );
}

/** @returns is a file held over the page? One that is dropped is opened. */
function useFileOver(): boolean {
  const app = useApp();
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
    const onOver = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault(); // or the browser would leave the page for the file
      setIsOver(true);
    };
    const onLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setIsOver(false);
    };
    const onDrop = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setIsOver(false);
      const file = event.dataTransfer?.files[0];
      if (file !== undefined) void openRecording(file, app);
    };
    window.addEventListener('dragover', onOver);
    window.addEventListener('dragleave', onLeave);
    window.addEventListener('drop', onDrop);
    return () => {
      window.removeEventListener('dragover', onOver);
      window.removeEventListener('dragleave', onLeave);
      window.removeEventListener('drop', onDrop);
    };
  }, [app]);
  return isOver;
}
