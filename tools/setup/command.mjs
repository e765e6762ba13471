// Runs the commands of the set-up and makes sure that none outlives it.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';

/** As much of a command's output as is kept for an error report. */
const KEPT_OUTPUT_CHARS = 64 * 1024;
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * @typedef {object} Outcome
 * @property {number} status exit status; 128 + number when a signal ended it, 127 when it could not be started
 * @property {string} stdout empty when shown
 * @property {string} output end of standard output and standard error together; empty when shown
 */

/**
 * @typedef {object} RunOptions
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} env
 * @property {boolean} [isShown] print as it goes rather than capture
 * @property {(line: string) => void} [onLine] hears every line, of either stream
 * @property {number} [timeoutMs]
 */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} options
 * @returns {Promise<Outcome>}
 */
export function run(command, args, { cwd, env, isShown = false, onLine, timeoutMs }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: isShown ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    });
    hold(child);
    let stdout = '';
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      stream.setEncoding('utf8').on('data', (text) => {
        if (stream === child.stdout) stdout = (stdout + text).slice(-KEPT_OUTPUT_CHARS);
        output = (output + text).slice(-KEPT_OUTPUT_CHARS);
      });
      if (onLine) createInterface({ input: stream }).on('line', onLine);
    }
    child.on('error', (error) => {
      release(child);
      resolve({ status: 127, stdout, output: `${output}${error.message}\n` });
    });
    child.on('close', (code, signal) => {
      release(child);
      resolve({ status: code ?? exitStatusOf(signal), stdout, output });
    });
  });
}

/**
 * @param {NodeJS.Signals | null} signal
 * @returns {number} the exit status by which shells report a death by signal
 */
export function exitStatusOf(signal) {
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}

// While a command runs, a signal ends it and the set-up. A terminal's Ctrl-C reaches
// the command by itself, being of the same process group; a plain kill would not.

/** @param {import('node:child_process').ChildProcess} child */
function hold(child) {
  if (running.size === 0) for (const signal of SIGNALS) process.on(signal, quit);
  running.add(child);
}

/** @param {import('node:child_process').ChildProcess} child */
function release(child) {
  if (!running.delete(child) || running.size > 0) return;
  for (const signal of SIGNALS) process.removeListener(signal, quit);
}

/** @param {NodeJS.Signals} signal */
function quit(signal) {
  for (const child of running) child.kill('SIGTERM');
  process.stderr.write('\nStopped. The next start takes up what is left to do.\n');
  process.exit(exitStatusOf(signal));
}
