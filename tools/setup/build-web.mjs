// Builds the web app when something that goes into it changed. The server packages need
// no build: Node strips their types as it loads them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { SetupFailure } from './failure.mjs';
import { step } from './progress.mjs';
import { clearStamp, hashFiles, readStamp, sourceFiles, writeStamp } from './stamp.mjs';
import { cleanEnv, ROOT, TOOLS_DIR } from './workspace.mjs';

const STAMP = join(TOOLS_DIR, 'web-built');
const PAGE = join(ROOT, 'apps', 'web', 'dist', 'index.html');
const INPUTS = ['apps/web', 'packages/protocol/src', 'packages/engine/src', 'pnpm-lock.yaml', 'tsconfig.base.json'];

/** @param {import('./workspace.mjs').Toolchain} tools */
export async function ensureWebBuilt(tools) {
  const hash = hashFiles(
    ROOT,
    INPUTS.flatMap((path) => sourceFiles(join(ROOT, path))),
  );
  if (readStamp(STAMP) === hash && existsSync(PAGE)) return;

  clearStamp(STAMP);
  await step('Building the web app', async () => {
    const env = cleanEnv(process.env, tools);
    const { status, output } = await run(tools.pnpm, ['--filter', '@dendro/web', 'run', 'build'], { cwd: ROOT, env });
    if (status !== 0) throw new SetupFailure('The web app could not be built (the reason is above).', output);
  });
  writeStamp(STAMP, hash);
}
