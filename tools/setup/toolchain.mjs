// Brings the pinned Node and pnpm through npx, once, and remembers where they are.
//
// Node comes as the npm package `node`, and only when the one at hand is older than
// the pinned major. pnpm always is the pinned one: another would write another lockfile.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { run } from './command.mjs';
import { isUnreachable, SetupFailure } from './failure.mjs';
import { say, step } from './progress.mjs';
import { cleanEnv, fetchingEnv, ROOT, readPins, TOOLS_DIR } from './workspace.mjs';

/** @typedef {import('./workspace.mjs').Toolchain} Toolchain */

const PATHS_FILE = join(TOOLS_DIR, 'paths.json');
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
  const tools = await step(`Fetching ${wanted} (only once)`, async () => {
    const first = await fetchThroughNpx(packages);
    if (isComplete(first, pins)) return first;
    // A fetch that was interrupted leaves a folder that npx takes for whole.
    const folder = npxFolderOf(first);
    if (folder === undefined) return first;
    rmSync(folder, { recursive: true, force: true });
    return await fetchThroughNpx(packages);
  });
  if (!isComplete(tools, pins)) {
    const folder = npxFolderOf(tools) ?? 'the folder _npx in the cache of npm';
    throw new SetupFailure(`npx did not bring ${wanted} whole: remove ${folder} and start again.`);
  }
  const node = isHostNodeFit ? process.execPath : tools.node;
  mkdirSync(TOOLS_DIR, { recursive: true });
  writeFileSync(PATHS_FILE, `${JSON.stringify({ key, node, pnpm: tools.pnpm }, null, 2)}\n`);
  if (!isHostNodeFit) say(`This machine has Node ${process.versions.node}; dendro runs on its own Node ${pins.node}.`);
  return { node, pnpm: tools.pnpm };
}

/** @typedef {Toolchain & { version: string, path: string }} Fetched */

/**
 * @param {readonly string[]} packages
 * @returns {Promise<Fetched>}
 */
async function fetchThroughNpx(packages) {
  const { status, stdout, output } = await run(
    'npx',
    ['--yes', ...packages.flatMap((name) => ['-p', name]), '-c', `node -e "${REPORT}"`],
    { cwd: ROOT, env: fetchingEnv(cleanEnv(process.env)) },
  );
  if (status === 127) {
    throw new SetupFailure('npx was not found: install npm (it comes with Node) and see that npx is on the PATH.');
  }
  const report = parseReport(stdout);
  if (status === 0 && report !== undefined) return { ...report, pnpm: findOnPath('pnpm', report.path) };
  if (isUnreachable(output)) {
    throw new SetupFailure(
      `${packages.join(' and ')} could not be fetched because the npm registry cannot be reached; connect to it once and start again.`,
    );
  }
  throw new SetupFailure(`npx could not fetch ${packages.join(' and ')} (its last lines are above).`, output);
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
function isComplete(tools, pins) {
  return major(tools.version) >= major(pins.node) && existsSync(tools.pnpm);
}

/**
 * @param {Fetched} tools
 * @returns {string | undefined} the folder in which npx keeps just this set of packages
 */
function npxFolderOf(tools) {
  const bin = tools.path.split(delimiter).find((folder) => folder.includes(`${sep}_npx${sep}`));
  return bin?.replace(/(_npx.[^/\\]+).*$/, '$1');
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
