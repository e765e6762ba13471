// The thread that reads and hashes binaries. It gives way to everything else.

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { FileHasher, type HashResult, type SeenFile } from './hash-file.ts';

/** `workerData` of the thread. */
export interface HashThreadOptions {
  readonly maxBytes: number;
}

export interface ToHashing {
  readonly file: SeenFile;
}

export type FromHashing = HashResult;

const NICENESS = 10;

const port = parentPort;
if (port === null) throw new Error('hash-thread.ts runs as a worker thread only');
const hasher = new FileHasher((workerData as HashThreadOptions).maxBytes);
setPriority(0, NICENESS); // of this thread alone, on Linux
port.on('message', ({ file }: ToHashing) => port.postMessage(hasher.hash(file) satisfies FromHashing));
