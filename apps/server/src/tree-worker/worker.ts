// What the worker thread does, which begins in begin.ts: owns source and tree, so that no
// storm of forks can hold up a request and no slow browser can lose a fork.

import { once } from 'node:events';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { DendroError, toError } from '@dendro/protocol';
import { type BpfChild, mayUseEbpf } from '@dendro/sources';
import { answerJson } from './answers.ts';
import { feedsFor } from './choose-source.ts';
import { differenceInMemory } from './difference-json.ts';
import { FeedRunner } from './feed-runner.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { answerOrPast } from './past-instant.ts';
import { Recordings } from './recordings.ts';
import { snapshotChunks } from './snapshot.ts';
import { answerOfStretch } from './stretch.ts';

const port = portOfThread();

let recording: Recordings | undefined;

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  record(() => recording?.take(message));
  port.postMessage(message, transfer);
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
  port.postMessage({
    type: 'failed',
    code,
    message: isKnown ? error.message : String(error.stack),
  } satisfies FromWorker);
}

function answer(runner: FeedRunner, message: ToWorker): void {
  switch (message.type) {
    case 'begin':
      return; // only ever the first one
    case 'stop':
      void runner.stop().then(() => {
        for (const tree of runner.trees) {
          const { number, now } = tree;
          const status = runner.statusOf(tree);
          record(() => recording?.end(number, now, status.source));
          post({ type: 'status', number, status });
        }
        post({ type: 'stopped' });
        port.close();
      });
      return;
    case 'snapshot': {
      const tree = runner.trees[message.number];
      if (tree === undefined) return;
      runner.flush(); // a snapshot is of a committed version
      const { version } = tree.host;
      for (const { bytes, isLast } of snapshotChunks(
        tree.host,
        tree.now,
        message.isWhole ? Number.POSITIVE_INFINITY : undefined,
      )) {
        const { now } = tree;
        post({ type: 'chunk', request: message.request, isLast, version, now, bytes }, [bytes.buffer]);
      }
      return;
    }
    case 'ask': {
      runner.flush();
      const answer = answerTo(runner, message);
      if (typeof answer === 'bigint') {
        post({ type: 'past', request: message.request, epochNs: answer });
        return;
      }
      const json = new TextEncoder().encode(answer);
      post({ type: 'answer', request: message.request, json }, [json.buffer]);
    }
  }
}

/** @returns JSON, or the instant about which the history is to be asked */
function answerTo(runner: FeedRunner, { number, question }: Extract<ToWorker, { type: 'ask' }>): string | bigint {
  if (question.kind === 'events') return JSON.stringify(runner.takeIn(question.ndjson, question.to));
  const tree = runner.trees[number];
  if (tree === undefined) throw new DendroError('DENDRO_HOST_UNKNOWN');
  if (question.kind === 'counts' || question.kind === 'gaps') return JSON.stringify(answerOfStretch(tree, question));
  if (question.kind === 'difference') return JSON.stringify(differenceInMemory(tree, question));
  return tree.hasHistory ? answerOrPast(tree, question) : answerJson(tree, question);
}

/** @param child of the eBPF source, when that has been started ahead */
export async function work(child: BpfChild | undefined): Promise<void> {
  const [begin] = (await once(port, 'message')) as [Extract<ToWorker, { type: 'begin' }>];
  const { options } = begin;
  try {
    const feeds = feedsFor(options.source, process.geteuid?.() === 0, {
      ...options,
      clock: options.resumptions?.first.clock,
      mayUseEbpf: mayUseEbpf(),
      child,
    });
    if (options.recording !== undefined) recording = new Recordings(options.recording);
    const runner = await FeedRunner.start(options, feeds, post);
    runner.flush();
    runner.tellAll();
    post({ type: 'ready' });
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
    child?.kill(); // who was not taken on
    recording?.discard();
    sayFailed(thrown);
    port.close();
  }
}

function portOfThread(): MessagePort {
  if (parentPort === null) throw new Error('worker.ts runs in a worker thread only');
  return parentPort;
}
