// The worker thread: owns source and tree, so that no storm of forks can hold
// up a request and no slow browser can lose a fork.

import { parentPort, workerData } from 'node:worker_threads';
import { DendroError, toError } from '@dendro/protocol';
import { mayUseEbpf } from '@dendro/sources';
import { answerJson } from './answers.ts';
import { feedsFor } from './choose-source.ts';
import { HostRunner } from './host-runner.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './messages.ts';
import { RecordingFile } from './recording-file.ts';
import { snapshotChunks } from './snapshot.ts';

const port = parentPort;
if (port === null) throw new Error('worker.ts runs as a worker thread only');
const options = workerData as WorkerOptions;

let recording: RecordingFile | undefined;

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  record(() => recording?.take(message));
  port?.postMessage(message, transfer);
}

/** A recording that cannot be gone on with is given up, and that is said. */
function record(write: () => void): void {
  try {
    write();
  } catch (thrown) {
    recording?.close();
    recording = undefined;
    sayFailed(thrown);
  }
}

function sayFailed(thrown: unknown): void {
  const error = toError(thrown);
  const isKnown = error instanceof DendroError;
  const code = isKnown ? error.code : 'DENDRO_INTERNAL';
  port?.postMessage({
    type: 'failed',
    code,
    message: isKnown ? error.message : String(error.stack),
  } satisfies FromWorker);
}

function answer(runner: HostRunner, message: ToWorker): void {
  switch (message.type) {
    case 'stop':
      void runner.stop().then(() => {
        record(() => recording?.end(runner.now, runner.status.source));
        post({ type: 'status', status: runner.status });
        post({ type: 'stopped' });
        port?.close();
      });
      return;
    case 'snapshot': {
      runner.flush(); // a snapshot is of a committed version
      const { version } = runner.host;
      for (const { bytes, isLast } of snapshotChunks(runner.host, runner.now)) {
        const { now } = runner;
        post({ type: 'chunk', request: message.request, isLast, version, now, bytes }, [bytes.buffer]);
      }
      return;
    }
    case 'ask': {
      runner.flush();
      const json = new TextEncoder().encode(answerJson(runner, message.question));
      post({ type: 'answer', request: message.request, json }, [json.buffer]);
    }
  }
}

try {
  const feeds = feedsFor(options.source, process.geteuid?.() === 0, { ...options, mayUseEbpf: mayUseEbpf() });
  if (options.recording !== undefined) recording = new RecordingFile(options.recording);
  const runner = await HostRunner.start(options, feeds, post);
  runner.flush();
  post({ type: 'ready', host: runner.info, status: runner.status });
  port.on('message', (message: ToWorker) => {
    try {
      answer(runner, message);
    } catch (thrown) {
      if (!('request' in message) || !(thrown instanceof DendroError)) throw thrown;
      const { code, message: sentence, details } = thrown;
      post({ type: 'refusal', request: message.request, code, message: sentence, details });
    }
  });
} catch (thrown) {
  recording?.discard();
  sayFailed(thrown);
  port.close();
}
