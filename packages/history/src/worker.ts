// The thread of a history. It takes batches as they come, writes them down every so often, and
// answers in between.

import { parentPort, workerData } from 'node:worker_threads';
import { DendroError, toError } from '@dendro/protocol';
import type { FromHistory, HistoryWorkerOptions, ToHistory } from './messages.ts';
import { OpenStretches } from './open-stretches.ts';
import { answerQuestion } from './questions.ts';
import { SqliteHistory } from './sqlite/store.ts';

const FLUSH_MS = 250;
/** Packed: so much is written down before its time. */
const FLUSH_BYTES = 4 * 1024 * 1024;
const STATE_MS = 1000;

const port = parentPort;
const options = workerData as HistoryWorkerOptions;

const stretches = new OpenStretches();
const flushMs = options.flushMs ?? FLUSH_MS;
let flushedAt = performance.now();

function flush(history: SqliteHistory): void {
  history.flush();
  flushedAt = performance.now();
}

function post(message: FromHistory, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function take(history: SqliteHistory, message: ToHistory): void {
  switch (message.type) {
    case 'begin':
      post({ type: 'answer', request: message.request, answer: history.begin(message.start) });
      return;
    case 'append':
      history.append(message.bytes, message.at);
      // While one comes after the other no timer has its turn.
      if (performance.now() - flushedAt >= flushMs || history.pendingBytes >= FLUSH_BYTES) flush(history);
      post({ type: 'taken', bytes: message.bytes.length });
      return;
    case 'snapshot': {
      history.appendSnapshot(message.chunks, message.at);
      post({ type: 'taken', bytes: message.chunks.reduce((sum, { length }) => sum + length, 0) });
      return;
    }
    case 'lost':
      history.noteLost(message.at);
      return;
    case 'tick':
      history.tick(message.at);
      return;
    case 'clock':
      history.noteClock(message.at, message.wallNs);
      return;
    case 'ask': {
      const answer = answerQuestion(history, message.question);
      const transfer = 'chunks' in answer ? answer.chunks.map(({ buffer }) => buffer) : [];
      post({ type: 'answer', request: message.request, answer }, transfer);
      return;
    }
    case 'read': {
      const answer = stretches.begin(history, message.fromEpochNs, message.toEpochNs);
      post({ type: 'answer', request: message.request, answer });
      return;
    }
    case 'read-on': {
      const answer = stretches.readOn(message.stretch);
      const transfer = answer.parts.flatMap((part) => (part.kind === 'rest' ? [] : [part.bytes.buffer]));
      post({ type: 'answer', request: message.request, answer }, transfer);
      return;
    }
    case 'leave':
      stretches.leave(message.stretch);
      return;
    case 'close':
      for (const timer of timers) clearInterval(timer);
      history.close();
      post({ type: 'answer', request: message.request, answer: undefined });
      port?.close();
  }
}

/** A question that cannot be answered is refused; anything else that goes wrong ends the thread, loudly. */
function takeOrRefuse(history: SqliteHistory, message: ToHistory): void {
  try {
    take(history, message);
  } catch (thrown) {
    if (!('request' in message) || !(thrown instanceof DendroError)) throw thrown;
    const { code, message: sentence, details } = thrown;
    post({ type: 'refusal', request: message.request, code, message: sentence, details });
  }
}

const timers: NodeJS.Timeout[] = [];
try {
  const history = new SqliteHistory(options.directory, options);
  post({ type: 'ready', state: history.state });
  timers.push(
    setInterval(() => flush(history), flushMs),
    setInterval(() => post({ type: 'state', state: history.state, needsSnapshot: history.needsSnapshot }), STATE_MS),
  );
  port?.on('message', (message: ToHistory) => takeOrRefuse(history, message));
} catch (thrown) {
  const error = toError(thrown);
  const code = error instanceof DendroError ? error.code : 'DENDRO_INTERNAL';
  post({ type: 'failed', code, message: error instanceof DendroError ? error.message : String(error.stack) });
  port?.close();
}
