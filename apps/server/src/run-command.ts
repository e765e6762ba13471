// The command of `dendro run`: started by this thread, which is traced already,
// with our terminal and our standard streams.
//
// Ctrl-C is for the command as long as it runs. A terminal tells all processes
// in its foreground itself, so the command has heard of it when we have; what was
// sent to us alone is passed on.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { DendroError, toError } from '@dendro/protocol';
import { environmentOfOthers } from './compile-cache.ts';

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

export interface CommandEnd {
  /** As a shell has it: 128 and the number of the signal that ended it. */
  readonly status: number;
  /** For people: how it ended. */
  readonly text: string;
}

export class RunningCommand {
  readonly ended: Promise<CommandEnd>;
  readonly #child: ChildProcess;
  #isRunning = true;
  #endsWithIt = false;

  constructor(command: readonly string[]) {
    const [file = '', ...args] = command;
    this.#child = spawn(file, args, { stdio: 'inherit', env: environmentOfOthers() });
    this.ended = new Promise((resolve) => {
      const end = (status: number, text: string) => {
        this.#isRunning = false;
        resolve({ status, text });
      };
      this.#child.once('error', (error: NodeJS.ErrnoException) => end(...cannotStart(file, error)));
      this.#child.once('exit', (code, signal) => {
        if (signal === null) end(code ?? 0, `${file} ended with status ${code}.`);
        else end(128 + constants.signals[signal], `${file} was ended by ${signal}.`);
      });
    });
  }

  /** Shall all end when the command has? So it is once somebody has asked us to. */
  get endsWithIt(): boolean {
    return this.#endsWithIt;
  }

  /** @returns is the signal for the command? Ask us a second time to end, and it is not. */
  takeSignal(signal: NodeJS.Signals): boolean {
    if (!this.#isRunning) return false;
    if (signal !== 'SIGINT') {
      if (this.#endsWithIt) return false;
      this.#endsWithIt = true;
    }
    if (signal === 'SIGTERM' || !isInForeground()) this.#child.kill(signal);
    return true;
  }

  /** Ends it at once; harmless when it has ended. */
  kill(): void {
    if (this.#isRunning) this.#child.kill('SIGKILL');
  }
}

/** Why kernel events cannot be had, for whoever wants to run a command. */
export function cannotTrace(thrown: unknown): Error {
  const error = toError(thrown);
  if (!(error instanceof DendroError) || error.code !== 'DENDRO_SOURCE_UNAVAILABLE') return error;
  const why = error.message.replace(/^Source tracefs cannot be used: /, '').replace(/; [^;]*$/, '');
  return new DendroError(
    error.code,
    `dendro run needs root and eBPF or the tracefs of the kernel, and neither can be used here (dendro doctor tells more): ${why.replace(/\.$/, '')}.`,
    { cause: error },
  );
}

function cannotStart(file: string, error: NodeJS.ErrnoException): [status: number, text: string] {
  const why = error.code === 'ENOENT' ? 'there is no such program' : error.message;
  return [error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE, `${file} cannot be started: ${why}.`];
}

/** Does the terminal send its signals to our process group? */
function isInForeground(): boolean {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group !== undefined && group === foreground;
}
