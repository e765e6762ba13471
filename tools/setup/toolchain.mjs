// Brings the pinned Node and pnpm through npx, once, and remembers where they are.
//
// Node comes as the npm package `node`, and only when the one at hand is older than
// the pinned major. pnpm always is the pinned one: another would write another lockfile.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './command.mjs';
import { isUnreachable, SetupFailure } from './failure.mjs';
import { say, step } from './progress.mjs';
import { cleanEnv, fetchingEnv, ROOT, readPins, TOOLS_DIR } from './workspace.mjs';

/** @typedef {import('./workspace.mjs').Toolchain} Toolchain */

const PATHS_FILE = join(TOOLS_DIR, 'paths.json');
const FETCHING_MARK = join(TOOLS_DIR, 'fetching');
const OWN_CACHE = join(TOOLS_DIR, 'npm');
// Printed by the Node that is first on the PATH inside npx, which must be the one fetched.
const REPORT =
  'console.log(JSON.stringify({version:process.versions.node,node:process.execPath,path:process.env.PATH}))';

/** @returns {Promise<Toolchain>} */
export async function ensureToolchain() {
  const pins = readPins();
  const isHostNodeFit = major(process.versions.node) >= major(pins.node);
  const key = [pins.node, pins.pnpm, process.platform, process.arch, process.version].join(' ');
  const known = readPaths();
  if (known?.key === key && existsSync(known.node) && existsSync(known.pnpm)) return known;

  const packages = isHostNodeFit ? [`pnpm@${pins.pnpm}`] : [`node@${pins.node}`, `pnpm@${pins.pnpm}`];
  const wanted = isHostNodeFit ? `pnpm ${pins.pnpm}` : `Node ${pins.node} and pnpm ${pins.pnpm}`;
  const { node, pnpm } = await step(`Fetching ${wanted} (only once)`, () => fetchTools(packages, pins));
  mkdirSync(TOOLS_DIR, { recursive: true });
  writeFileSync(PATHS_FILE, `${JSON.stringify({ key, node, pnpm }, null, 2)}\n`);
  if (!isHostNodeFit) say(`This machine has Node ${process.versions.node}; dendro runs on its own Node ${pins.node}.`);
  return { node, pnpm };
}

// An npx that was interrupted leaves a lock and half a folder in the cache of npm, on which
// every later npx with the same packages waits for a minute and then fails. So a fetch is
// marked while it lasts, and after a failure it is done anew in a cache of our own.

/**
 * @param {readonly string[]} packages
 * @param {{ node: string }} pins
 * @returns {Promise<Toolchain>}
 */
async function fetchTools(packages, pins) {
  const wasInterrupted = existsSync(FETCHING_MARK);
  mkdirSync(TOOLS_DIR, { recursive: true });
  writeFileSync(FETCHING_MARK, '');
  let fetched = wasInterrupted ? undefined : await fetchThroughNpx(packages, cleanEnv(process.env));
  if (fetched?.tools === undefined || !(await isWhole(fetched.tools, pins))) {
    rmSync(OWN_CACHE, { recursive: true, force: true });
    fetched = await fetchThroughNpx(packages, { ...cleanEnv(process.env), npm_config_cache: OWN_CACHE });
  }
  rmSync(FETCHING_MARK, { force: true });
  const { tools, output } = fetched;
  if (tools !== undefined && (await isWhole(tools, pins))) return tools;
  throw new SetupFailure(`npx could not bring ${packages.join(' and ')} (its last lines are above).`, output);
}

/** @typedef {Toolchain & { version: string }} Fetched */

/**
 * @param {readonly string[]} packages
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ tools: Fetched | undefined, output: string }>}
 */
async function fetchThroughNpx(packages, env) {
  const args = ['--yes', ...packages.flatMap((name) => ['-p', name]), '-c', `node -e "${REPORT}"`];
  const { status, stdout, output } = await run('npx', args, { cwd: ROOT, env: fetchingEnv(env) });
  if (status === 127) {
    rmSync(FETCHING_MARK, { force: true });
    throw new SetupFailure('npx was not found: install npm (it comes with Node) and see that npx is on the PATH.');
  }
  const report = status === 0 ? parseReport(stdout) : undefined;
  if (report !== undefined) return { tools: { ...report, pnpm: findOnPath('pnpm', report.path) }, output };
  if (isUnreachable(output)) {
    rmSync(FETCHING_MARK, { force: true });
    throw new SetupFailure(
      `${packages.join(' and ')} could not be fetched because the npm registry cannot be reached; connect to it once and start again.`,
    );
  }
  return { tools: undefined, output };
}

/**
 * @param {string} stdout
 * @returns {{ version: string, node: string, path: string } | undefined}
 */
function parseReport(stdout) {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  return line.startsWith('{') ? JSON.parse(line) : undefined;
}

/**
 * @param {Fetched} tools
 * @param {{ node: string }} pins
 */
async function isWhole(tools, pins) {
  if (major(tools.version) < major(pins.node)) return false; // the host's own Node answered
  const { status } = await run(tools.pnpm, ['--version'], { cwd: ROOT, env: cleanEnv(process.env) });
  return status === 0;
}

/**
 * @param {string} name
 * @param {string} path
 * @returns {string} where it would be in the first folder when it is in none
 */
function findOnPath(name, path) {
  const candidates = path.split(delimiter).map((folder) => join(folder, name));
  return candidates.find((file) => existsSync(file)) ?? candidates[0] ?? name;
}

/** @returns {(Toolchain & { key: string }) | undefined} */
function readPaths() {
  try {
    return JSON.parse(readFileSync(PATHS_FILE, 'utf8'));
  } catch {
    return undefined; // the first run here, or a file cut short: fetch again, which is quick by now
  }
}

/** @param {string} version */
function major(version) {
  return Number.parseInt(version, 10);
}
