// What the lineage that is shown can be exported as: its view, which is fetched
// when it is first shown, says so to the command palette.

import type { Command } from './command.ts';

let offered: readonly Command[] = [];

/** @returns takes them back */
export function offerLineageExports(exports: readonly Command[]): () => void {
  offered = exports;
  return () => {
    if (offered === exports) offered = [];
  };
}

export function lineageExports(): readonly Command[] {
  return offered;
}
