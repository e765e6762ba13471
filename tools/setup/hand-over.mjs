// Runs the server in the foreground and is invisible from then on: same terminal, same
// standard input, same exit status.
//
// Signals need care. The server takes a second one for "quit at once", and one Ctrl-C
// arrives several times: the terminal signals the whole process group, and npm passes its
// own copy on to its script. So the server is put in a process group of its own, out of
// the terminal's reach, and this process alone tells it, once for each time a person
// meant it.

import { spawn } from 'node:child_process';
import { exitStatusOf } from './command.mjs';

/** Signals closer together than this are one. People are slower, and npm's copy is faster. */
const SAME_SIGNAL_MS = 150;
const KEEPER = new URL('./leave-with-launcher.mjs', import.meta.url).href;

/**
 * @param {string} node
 * @param {string} script
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} its exit status
 */
export function handOver(node, script, args, { cwd, env }) {
  const child = spawn(node, ['--import', KEEPER, script, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  let lastSignalAt = Number.NEGATIVE_INFINITY;
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    const now = performance.now();
    if (now - lastSignalAt < SAME_SIGNAL_MS) return;
    lastSignalAt = now;
    // A terminal that closed says SIGHUP; for the server that is an end like any other.
    child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  };
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? exitStatusOf(signal)));
  });
}
