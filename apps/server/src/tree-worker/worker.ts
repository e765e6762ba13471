// The worker thread: owns source and tree, so that no storm of forks can hold
// up a request and no slow browser can lose a fork.

import { parentPort, workerData } from 'node:worker_threads';
import { DendroError, toError } from '@dendro/protocol';
import { answerJson } from './answers.ts';
import { feedsFor } from './choose-source.ts';
import { HostRunner } from './host-runner.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './messages.ts';
import { snapshotChunks } from './snapshot.ts';

const port = parentPort;
if (port === null) throw new Error('worker.ts runs as a worker thread only');
const options = workerData as WorkerOptions;

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function answer(runner: HostRunner, message: ToWorker): void {
  switch (message.type) {
    case 'stop':
      void runner.stop().then(() => {
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
  const feeds = feedsFor(options.source, process.geteuid?.() === 0, options);
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
  const error = toError(thrown);
  const code = error instanceof DendroError ? error.code : 'DENDRO_INTERNAL';
  post({ type: 'failed', code, message: error instanceof DendroError ? error.message : String(error.stack) });
  port.close();
}
