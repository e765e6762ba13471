// A recorded evening on a made-up web server (docs/evening.dendro), served.

import { basename, dirname } from 'node:path';
import { EVENING_FILE } from '@dendro/testkit';
import { Dendro } from './dendro.ts';

/** 20:00 UTC, when it begins: epoch milliseconds. */
const BEGIN_MS = Date.UTC(2026, 10, 20, 20);

export function serveEvening(): Promise<Dendro> {
  const args = ['--port', '0', '--source', `replay:${basename(EVENING_FILE)}`];
  return Dendro.start({ args, cwd: dirname(EVENING_FILE) });
}

/** @param time `20:17:21`, UTC. @returns epoch nanoseconds, as an address has them */
export function eveningNs(time: string): string {
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  return `${BEGIN_MS + ((hours - 20) * 3600 + minutes * 60 + seconds) * 1000}000000`;
}
