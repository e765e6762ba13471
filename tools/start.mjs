// `npm start [-- arguments of the server]`

import { join } from 'node:path';
import { ensureWebBuilt } from './setup/build-web.mjs';
import { handOver } from './setup/hand-over.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { ensureToolchain } from './setup/toolchain.mjs';
import { cleanEnv, ROOT } from './setup/workspace.mjs';

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit status
 */
export async function start(args) {
  const tools = await setUp();
  // Relative paths in the arguments are relative to where the user typed them, which is
  // not where npm runs its scripts.
  const cwd = process.env['INIT_CWD'] ?? process.cwd();
  return await handOver(tools.node, join(ROOT, 'apps', 'server', 'src', 'main.ts'), args, {
    cwd,
    env: cleanEnv(process.env, tools),
  });
}

/** Everything up to the start of the server: for images and for impatient hands. */
export async function prepare() {
  await setUp();
  return 0;
}

async function setUp() {
  const tools = await ensureToolchain();
  await ensureInstalled(tools);
  await ensureWebBuilt(tools);
  return tools;
}
