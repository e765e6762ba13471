// libbpf.so.1, with which the eBPF source loads its programs. The tests want it;
// who only starts dendro is told what it would give.

import { run } from './command.mjs';
import { installDebianPackage, isDebianRoot } from './debian.mjs';
import { step } from './progress.mjs';
import { cleanEnv, ROOT } from './workspace.mjs';

/** @typedef {import('./workspace.mjs').Toolchain} Toolchain */

/** Without it the tests of eBPF are skipped, and say why. @param {Toolchain} tools */
export async function ensureLibbpf(tools) {
  const env = cleanEnv(process.env, tools);
  if (!isDebianRoot() || (await isThere(env))) return;
  await step('Installing the Debian package libbpf1 for the tests of eBPF', () => installDebianPackage('libbpf1', env));
}

/** @param {NodeJS.ProcessEnv} env */
async function isThere(env) {
  // The cache of the loader knows it wherever it lies; for root it is in the path.
  const { stdout } = await run('/sbin/ldconfig', ['-p'], { cwd: ROOT, env });
  return stdout.includes('libbpf.so.1 ');
}
