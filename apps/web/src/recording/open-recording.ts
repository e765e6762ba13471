// Opening a recording, or another file that is one of a kind: what is read now, what went wrong, and how to be back
// at the server.

import { DendroError } from '@dendro/protocol';
import { create } from 'zustand';
import type { App } from '../app-context.ts';
import { view } from '../state/view-store.ts';

export type Opening =
  | { readonly kind: 'none' }
  | { readonly kind: 'reading'; readonly name: string; readonly part: number }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };

export const useOpening = create<Opening>()(() => ({ kind: 'none' }));

const set = (opening: Opening) => useOpening.setState(opening, true);
/** The last one that was asked for is wanted. */
let wanted: File | undefined;

/** Reads a recording and shows it in place of what the server sends. What was shown stays until it has been read. */
export async function openRecording(file: File, { replica, connection }: App): Promise<void> {
  const { name } = file;
  wanted = file;
  set({ kind: 'reading', name, part: 0 });
  try {
    // Not part of what every visitor loads.
    const { readFile } = await import('./read-file.ts');
    const isWanted = () => wanted === file;
    const opened = await readFile(file, (part) => isWanted() && set({ kind: 'reading', name, part }), isWanted);
    if (opened === undefined) return;
    wanted = undefined;
    connection.leave();
    view.leaveHost();
    replica.show(opened.host, opened.tree, opened.stats);
    set({ kind: 'none' });
  } catch (thrown) {
    if (wanted !== file) return;
    wanted = undefined;
    set({ kind: 'failed', name, message: messageOf(thrown) });
  }
}

/** Gives up what is being read, and puts away what went wrong. */
export function dismissOpening(): void {
  wanted = undefined;
  set({ kind: 'none' });
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof DendroError) return thrown.message;
  return `It could not be read (${thrown instanceof Error ? thrown.message : String(thrown)}).`;
}
