// The thread that reads /proc, so that reading delays no kernel event.

import { parentPort, workerData } from 'node:worker_threads';
import { HostClock } from '../host-clock.ts';
import { ProcfsReader } from './reader.ts';
import { ReadingLoop } from './reading-loop.ts';
import type { ReadingOptions, ToReading } from './thread-messages.ts';

const port = parentPort;
if (port === null) throw new Error('reading-thread.ts runs as a worker thread only');
const { clock, budgetMs, watchesExecs } = workerData as ReadingOptions;
const reader = new ProcfsReader({ clock: HostClock.at(clock) });
const loop = new ReadingLoop({ reader, budgetMs, watchesExecs, post: (message) => port.postMessage(message) });
port.on('message', (message: ToReading) => {
  loop.take(message);
  if (message.type === 'stop') port.close();
});
await loop.start();
