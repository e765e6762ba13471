// Finds a Chromium for the browser tests, or gets one.

import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './command.mjs';
import { installDebianPackage, isDebianRoot } from './debian.mjs';
import { SetupFailure } from './failure.mjs';
import { step } from './progress.mjs';
import { cleanEnv, ROOT } from './workspace.mjs';

/** @typedef {import('./workspace.mjs').Toolchain} Toolchain */

const SYSTEM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const VERSION_TIMEOUT_MS = 30_000;

/**
 * @param {Toolchain} tools
 * @returns {Promise<string>} path of a browser that runs
 */
export async function ensureBrowser(tools) {
  const env = cleanEnv(process.env, tools);
  const named = process.env['CHROMIUM_PATH'];
  if (named) {
    if (await canRun(named, env)) return named;
    throw new SetupFailure(`CHROMIUM_PATH is ${named}, and that is not a browser that runs here.`);
  }
  const found = (await findSystemBrowser(env)) ?? (await findPlaywrightBrowser(tools, env));
  if (found) return found;

  if (isDebianRoot()) {
    await step('Installing the Debian package chromium for the browser tests', () =>
      installDebianPackage('chromium', env),
    );
    const installed = await findSystemBrowser(env);
    if (installed) return installed;
  }
  await step('Downloading the browser of Playwright', async () => {
    await run(join(ROOT, 'node_modules', '.bin', 'playwright'), ['install', 'chromium'], { cwd: ROOT, env });
  });
  const downloaded = await findPlaywrightBrowser(tools, env);
  if (downloaded) return downloaded;
  throw new SetupFailure(
    'No browser for the browser tests: install Chromium or Chrome, or name one with CHROMIUM_PATH=/path/to/chromium.',
  );
}

/** @param {NodeJS.ProcessEnv} env */
async function findSystemBrowser(env) {
  const folders = (env['PATH'] ?? '').split(delimiter);
  for (const name of SYSTEM_NAMES) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (isExecutable(path) && (await canRun(path, env))) return path;
    }
  }
  return undefined;
}

/**
 * @param {Toolchain} tools
 * @param {NodeJS.ProcessEnv} env
 */
async function findPlaywrightBrowser(tools, env) {
  const script = "import('@playwright/test').then(({ chromium }) => console.log(chromium.executablePath()))";
  const { stdout } = await run(tools.node, ['-e', script], { cwd: ROOT, env });
  const path = stdout.trim();
  return path !== '' && existsSync(path) && (await canRun(path, env)) ? path : undefined;
}

// A file of the right name is not enough: Ubuntu's chromium-browser is a script that
// asks for snap, and a browser without its libraries does not start either.
/**
 * @param {string} path
 * @param {NodeJS.ProcessEnv} env
 */
async function canRun(path, env) {
  const { status } = await run(path, ['--version'], { cwd: ROOT, env, timeoutMs: VERSION_TIMEOUT_MS });
  return status === 0;
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
