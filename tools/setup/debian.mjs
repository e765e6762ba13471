// Packages of Debian, for whoever is root there.

import { readFileSync } from 'node:fs';
import { run } from './command.mjs';
import { ROOT } from './workspace.mjs';

export function isDebianRoot() {
  if (process.getuid?.() !== 0) return false;
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false; // no such file: not Debian
  }
}

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
export async function installDebianPackage(name, env) {
  const options = { cwd: ROOT, env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
  const install = () => run('apt-get', ['install', '-y', '--no-install-recommends', name], options);
  if ((await install()).status === 0) return;
  await run('apt-get', ['update'], options); // on a new machine there are no package lists yet
  await install();
}
