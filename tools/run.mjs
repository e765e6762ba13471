// `npm start` and `npm test` for a machine that has nothing but Node 20 and npm.
//
// Plain JavaScript without a dependency: it runs before anything is installed,
// on the Node that happens to be there. It brings the pinned Node and pnpm,
// installs, builds, and hands over to the server or to the test stages. What is
// already up to date is skipped, so a second start costs some tens of milliseconds.

import { explain } from './setup/failure.mjs';
import { say } from './setup/progress.mjs';

const OLDEST_NODE = 20;

async function main() {
  const [task = 'start', ...args] = process.argv.slice(2);
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    say(`Node ${OLDEST_NODE} or newer is needed to set dendro up, and this is Node ${process.versions.node}.`);
    return 1;
  }
  switch (task) {
    case 'start':
      return await (await import('./start.mjs')).start(args);
    case 'test':
      return await (await import('./test.mjs')).test(args);
    case 'setup':
      return await (await import('./start.mjs')).prepare();
    default:
      say(`Unknown task "${task}": use start, test or setup.`);
      return 2;
  }
}

try {
  process.exitCode = await main();
} catch (thrown) {
  say(explain(thrown));
  process.exitCode = 1;
}
