// `npm test [-- --only STAGE[,STAGE]] [-- arguments of that one runner]`
//
// Every stage runs, whatever became of those before it: one run tells everything that is
// wrong. The last line on standard output is the sum, for people and for machines.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBrowser } from './setup/browser.mjs';
import { ensureWebBuilt } from './setup/build-web.mjs';
import { run } from './setup/command.mjs';
import { explain, SetupFailure } from './setup/failure.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { ensureLibbpf } from './setup/libbpf.mjs';
import { countPlaywright, countVitest } from './setup/reports.mjs';
import { ensureToolchain } from './setup/toolchain.mjs';
import { cleanEnv, ROOT, TOOLS_DIR } from './setup/workspace.mjs';

/**
 * @typedef {import('./setup/reports.mjs').Count} Count
 * @typedef {import('./setup/workspace.mjs').Toolchain} Toolchain
 * @typedef {(tools: Toolchain, args: readonly string[]) => Promise<Count>} Stage
 */

/** @type {Count} */
const PASSED = { passed: 1, failed: 0, skipped: [], failures: [] };
/** @type {Count} */
const FAILED = { passed: 0, failed: 1, skipped: [], failures: [] };

/** In order. @type {Readonly<Record<string, Stage>>} */
const STAGES = {
  typecheck: (tools) => check(tools, bin('tsc'), ['-b']),
  lint: (tools) => check(tools, bin('biome'), ['check', '.']),
  edges: (tools) => check(tools, tools.node, ['tools/check-edges.ts']),
  unit,
  build: async (tools) => {
    await ensureWebBuilt(tools);
    return PASSED;
  },
  size: (tools) => check(tools, tools.node, ['tools/check-first-load.ts']),
  e2e,
};

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit status
 */
export async function test(args) {
  const { names, rest } = parseArgs(args);
  const total = { passed: 0, failed: 0 };
  /** @type {string[]} */
  const failedStages = [];
  /** @type {string[]} */
  const skipped = [];
  /** @type {string[]} */
  const failures = [];
  try {
    const tools = await ensureToolchain();
    await ensureInstalled(tools);
    for (const name of names) {
      const count = await runStage(name, tools, rest);
      total.passed += count.passed;
      total.failed += count.failed;
      skipped.push(...count.skipped);
      failures.push(...count.failures);
      if (count.failed > 0) failedStages.push(name);
    }
  } catch (thrown) {
    process.stdout.write(`${explain(thrown)}\n`);
    total.failed++;
    failedStages.push('set-up');
  }
  process.stdout.write('\n');
  if (failedStages.length > 0) process.stdout.write(`Failed: ${failedStages.join(', ')}.\n`);
  for (const title of failures) process.stdout.write(`Failed: ${title}\n`);
  for (const title of skipped) process.stdout.write(`Skipped: ${title}.\n`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 ? 0 : 1;
}

/**
 * @param {string} name
 * @param {Toolchain} tools
 * @param {readonly string[]} args
 * @returns {Promise<Count>}
 */
async function runStage(name, tools, args) {
  process.stdout.write(`\n=== ${name} ===\n`);
  const began = performance.now();
  let count = FAILED;
  try {
    count = (await STAGES[name]?.(tools, args)) ?? FAILED;
  } catch (thrown) {
    process.stdout.write(`${explain(thrown)}\n`);
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const skipped = count.skipped.length > 0 ? `, ${count.skipped.length} skipped` : '';
  process.stdout.write(`=== ${name}: ${count.passed} passed, ${count.failed} failed${skipped} (${seconds} s)\n`);
  return count;
}

/**
 * A stage that is one check: right or wrong.
 *
 * @param {Toolchain} tools
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<Count>}
 */
async function check(tools, command, args) {
  const { status } = await run(command, args, { cwd: ROOT, env: cleanEnv(process.env, tools), isShown: true });
  return status === 0 ? PASSED : FAILED;
}

/** @type {Stage} */
async function unit(tools, args) {
  await ensureLibbpf(tools);
  const reportFile = freshReport('unit.json');
  const { status } = await run(
    bin('vitest'),
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`, ...args],
    { cwd: ROOT, env: cleanEnv(process.env, tools), isShown: true },
  );
  return countVitest(readReport(reportFile), status);
}

/** @type {Stage} */
async function e2e(tools, args) {
  await ensureLibbpf(tools);
  const browser = await ensureBrowser(tools);
  const reportFile = freshReport('e2e.json');
  const { status } = await run(bin('playwright'), ['test', '--reporter=list,json', ...args], {
    cwd: ROOT,
    env: { ...cleanEnv(process.env, tools), CHROMIUM_PATH: browser, PLAYWRIGHT_JSON_OUTPUT_FILE: reportFile },
    isShown: true,
  });
  return countPlaywright(readReport(reportFile), status);
}

/** @param {string} name */
function bin(name) {
  return join(ROOT, 'node_modules', '.bin', name);
}

/**
 * @param {string} name
 * @returns {string} its path; a report of an earlier run is gone
 */
function freshReport(name) {
  const folder = join(TOOLS_DIR, 'reports');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  rmSync(file, { force: true });
  return file;
}

/** @param {string} file */
function readReport(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/**
 * @param {readonly string[]} args
 * @returns {{ names: readonly string[], rest: readonly string[] }}
 */
function parseArgs(args) {
  const all = Object.keys(STAGES);
  if (args.length === 0) return { names: all, rest: [] };
  const [option, list = '', ...rest] = args;
  const chosen = list.split(',');
  if (option !== '--only' || !chosen.every((name) => all.includes(name))) {
    throw new SetupFailure(`Usage: npm test [-- --only STAGE[,STAGE]], where a stage is ${all.join(', ')}.`);
  }
  const takesArguments = chosen.length === 1 && ['unit', 'e2e'].includes(list);
  if (rest.length > 0 && !takesArguments) {
    throw new SetupFailure('Further arguments go to one runner: use them with --only unit or --only e2e.');
  }
  return { names: all.filter((name) => chosen.includes(name)), rest };
}
