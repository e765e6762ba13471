// Where things are, and the environment in which the set-up's commands run.

import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What the set-up remembers; ignored by git and safe to delete. */
export const TOOLS_DIR = join(ROOT, '.tools');

/**
 * @typedef {object} Toolchain
 * @property {string} node path of a Node that is new enough for dendro
 * @property {string} pnpm
 */

/** @returns {{ node: string, pnpm: string }} the pinned versions */
export function readPins() {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).config;
}

// npm hands its own configuration down to scripts as npm_* variables, and pnpm takes
// some of them for its own and complains about others. Kept is only what says how to
// reach the registry.
const KEPT_NPM_VARIABLE =
  /^npm_config_(cache|registry|cafile|ca|userconfig|globalconfig|proxy|https?[-_]proxy|no_?proxy|strict[-_]ssl|fetch[-_]\w+|offline|prefer[-_]offline|store[-_]dir|@.*|\/\/.*)$/i;
const OFFLINE_WAIT_MS = '10000';

/**
 * @param {NodeJS.ProcessEnv} given
 * @param {Toolchain} [tools] put first on the PATH
 * @returns {NodeJS.ProcessEnv}
 */
export function cleanEnv(given, tools) {
  /** @type {NodeJS.ProcessEnv} */
  const env = {};
  for (const [name, value] of Object.entries(given)) {
    if (!/^npm_/i.test(name) || KEPT_NPM_VARIABLE.test(name)) env[name] = value;
  }
  if (tools) env['PATH'] = [dirname(tools.node), dirname(tools.pnpm), given['PATH']].join(delimiter);
  return env;
}

/**
 * For commands that fetch: says little, and gives an unreachable registry up after some 20 s rather than 70.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function fetchingEnv(env) {
  return {
    npm_config_loglevel: 'error',
    npm_config_fetch_retry_maxtimeout: OFFLINE_WAIT_MS,
    pnpm_config_fetch_retry_maxtimeout: OFFLINE_WAIT_MS,
    ...env,
  };
}
