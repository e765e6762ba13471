// Where what `dendro run` has traced is kept when nobody has named a file: a folder of recordings, the newest ones only.

import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { toError } from '@dendro/protocol';
import type { RecordingTarget } from './tree-worker/messages.ts';

/** So many are kept, that of this run included. */
export const MAX_KEPT = 100;
const NAME = /-\d{8}T\d{6}Z-\d+\.dendro$/;
const MAX_COMMAND = 40;

export interface KeptRun {
  /** Undefined where the folder cannot be used. */
  readonly recording: RecordingTarget | undefined;
  readonly notice: string | undefined;
}

/** Makes room for the recording of one more run, and a name for it. */
export function keepRun(folder: string, [file = '']: readonly string[], nowMs = Date.now()): KeptRun {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const removed = removeOld(folder);
    const command =
      basename(file)
        .replace(/[^\w.+-]/g, '_')
        .replace(/^\.+/, '')
        .slice(0, MAX_COMMAND) || 'run';
    const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
    const recording = { file: join(folder, `${command}-${time}-${process.pid}.dendro`), isForced: false };
    const notice =
      removed === 0 ? undefined : `Of the recordings in ${folder} the ${MAX_KEPT} newest are kept: ${removed} went.`;
    return { recording, notice };
  } catch (thrown) {
    const why = toError(thrown).message;
    return { recording: undefined, notice: `This run is not recorded: ${folder} cannot be used (${why}).` };
  }
}

/** The command that shows a recording again. */
export function replayCommand(file: string): string {
  const target = `replay:${file}`;
  return `dendro --source ${/^[\w@%+=:,./-]+$/.test(target) ? target : `'${target.replaceAll("'", "'\\''")}'`}`;
}

function removeOld(folder: string): number {
  const old = readdirSync(folder)
    .filter((name) => NAME.test(name))
    .map((name) => join(folder, name))
    .map((path) => ({ path, ms: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.ms - a.ms)
    .slice(MAX_KEPT - 1);
  for (const { path } of old) rmSync(path, { force: true });
  return old.length;
}
