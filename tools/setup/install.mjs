// Installs exactly what the lockfile says, when the lockfile or a manifest changed.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './command.mjs';
import { isUnreachable, SetupFailure } from './failure.mjs';
import { step } from './progress.mjs';
import { clearStamp, hashFiles, readStamp, writeStamp } from './stamp.mjs';
import { cleanEnv, fetchingEnv, ROOT } from './workspace.mjs';

/** @typedef {import('./workspace.mjs').Toolchain} Toolchain */

// Inside node_modules, so that deleting that folder is enough to begin anew.
const STAMP = join(ROOT, 'node_modules', '.dendro-installed');

/** @param {Toolchain} tools */
export async function ensureInstalled(tools) {
  const manifests = findManifests();
  const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((name) => join(ROOT, name));
  const hash = hashFiles(ROOT, [...inputs, ...manifests], tools.pnpm);
  if (readStamp(STAMP) === hash && manifests.every(hasItsPackages)) return;

  clearStamp(STAMP);
  await step('Installing dependencies from the lockfile', (tell) => install(tools, tell));
  writeStamp(STAMP, hash);
}

/**
 * @param {Toolchain} tools
 * @param {(detail: string) => void} tell
 */
async function install(tools, tell) {
  let resolved = 0;
  let imported = 0;
  /** @type {Map<string, string>} error message by code */
  const errors = new Map();
  const { status, output } = await run(tools.pnpm, ['install', '--frozen-lockfile', '--reporter=ndjson'], {
    cwd: ROOT,
    env: fetchingEnv(cleanEnv(process.env, tools)),
    onLine: (line) => {
      const message = parseLine(line);
      if (message?.name === 'pnpm:progress') {
        if (message.status === 'resolved') resolved++;
        if (message.status === 'imported') imported++;
        tell(`${imported} of ${resolved} packages`);
      } else if (message?.name === 'pnpm:request-retry') {
        tell(`${imported} of ${resolved} packages; the registry does not answer, trying again`);
      } else if (message?.level === 'error') {
        errors.set(message.code ?? 'unknown', message.message ?? '');
      }
    },
  });
  if (status === 0) return;
  if (errors.has('ERR_PNPM_OUTDATED_LOCKFILE')) {
    throw new SetupFailure(
      'pnpm-lock.yaml does not match a package.json: bring it up to date with "pnpm install" and commit it.',
      errors.get('ERR_PNPM_OUTDATED_LOCKFILE'),
    );
  }
  const report = errors.size > 0 ? [...errors.values()].join('\n') : output;
  if (isUnreachable(report)) {
    throw new SetupFailure(
      'The dependencies could not be fetched because the npm registry cannot be reached; connect to it once and start again.',
    );
  }
  throw new SetupFailure(`pnpm install failed with status ${status} (its words are above).`, report);
}

/**
 * @param {string} line
 * @returns {{ name?: string, level?: string, status?: string, code?: string, message?: string } | undefined}
 */
function parseLine(line) {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // not of the reporter: it is in the output, should the install fail
  }
}

/** @returns {string[]} every package.json of the workspace */
function findManifests() {
  const folders = ['apps', 'packages'].flatMap((group) =>
    readdirSync(join(ROOT, group), { withFileTypes: true }).map((entry) => join(ROOT, group, entry.name)),
  );
  return [ROOT, join(ROOT, 'e2e'), ...folders]
    .map((folder) => join(folder, 'package.json'))
    .filter((file) => existsSync(file));
}

/** @param {string} manifest */
function hasItsPackages(manifest) {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'));
  const names = Object.keys({ ...dependencies, ...devDependencies });
  return names.every((name) => existsSync(join(dirname(manifest), 'node_modules', name)));
}
