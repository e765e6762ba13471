// Reading the sources is half of what a start costs: Node keeps what it has made of them, from start to start. It stays with
// the program, because whoever can write there could have another one run in its place. Where it cannot be written, nothing is kept.

import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../node_modules/.cache/dendro', import.meta.url));
const VARIABLE = 'NODE_COMPILE_CACHE';

/** For this process and its threads. */
export function keepCompiled(): void {
  enableCompileCache(FOLDER);
  process.env[VARIABLE] ??= FOLDER; // threads do not go by what was called here
}

/** The environment for programs of others. */
export function environmentOfOthers(): NodeJS.ProcessEnv {
  const { [VARIABLE]: folder, ...rest } = process.env;
  return folder === FOLDER ? rest : process.env;
}
