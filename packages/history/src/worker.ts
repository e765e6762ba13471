// The thread of a history. It takes batches as they come, writes them down every so often, and
// answers in between.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { DendroError, toError } from '@dendro/protocol';
import { Desk } from './desk.ts';
import type { AskHistory, FromHistory, HistoryWorkerData, ToHistory } from './messages.ts';
import { OpenStretches } from './open-stretches.ts';
import { answerQuestion } from './questions.ts';
import { SqliteHistory } from './sqlite/store.ts';

const FLUSH_MS = 250;
/** Packed: so much is written down before its time, or this part of all that there may be. */
const FLUSH_BYTES = 4 * 1024 * 1024;
const FLUSH_SHARE = 1 / 32;
const STATE_MS = 1000;
/** Of each so many milliseconds some go to reading ahead, until the first search would read nothing more. */
const WARM_EVERY_MS = 50;
const WARM_MS = 5;

const port = parentPort;
const { questions, ...options } = workerData as HistoryWorkerData;

const stretches = new OpenStretches();
const flushMs = options.flushMs ?? FLUSH_MS;
const flushBytes = Math.min(FLUSH_BYTES, (options.maxBytes ?? Number.POSITIVE_INFINITY) * FLUSH_SHARE);
let flushedAt = performance.now();
let saidAt = performance.now();

function post(message: FromHistory, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** What is to be done every so often. While one order comes after the other no timer has its turn. */
function keepUp(history: SqliteHistory): void {
  const now = performance.now();
  if (now - flushedAt >= flushMs || history.pendingBytes >= flushBytes) {
    history.flush();
    flushedAt = performance.now();
  }
  if (now - saidAt < STATE_MS) return;
  saidAt = now;
  post({ type: 'state', state: history.state, needsSnapshot: history.needsSnapshot });
}

/** @returns bytes of batches that were taken */
function carryOut(history: SqliteHistory, order: ToHistory): number {
  switch (order.type) {
    case 'begin':
      refusing(order.request, () => {
        post({ type: 'answer', request: order.request, answer: history.begin(order.start) });
      });
      return 0;
    case 'append': {
      const { length } = order.bytes;
      history.append(order.bytes, order.at);
      post({ type: 'taken', bytes: length });
      return length;
    }
    case 'snapshot': {
      const bytes = order.chunks.reduce((sum, { length }) => sum + length, 0);
      history.appendSnapshot(order.chunks, order.at);
      post({ type: 'taken', bytes });
      return bytes;
    }
    case 'lost':
      history.noteLost(order.at);
      return 0;
    case 'tick':
      history.tick(order.at);
      return 0;
    case 'clock':
      history.noteClock(order.at, order.wallNs);
      return 0;
    case 'read':
      refusing(order.request, () => {
        const answer = stretches.begin(history, order.fromEpochNs, order.toEpochNs);
        post({ type: 'answer', request: order.request, answer });
      });
      return 0;
    case 'read-on':
      refusing(order.request, () => {
        const answer = stretches.readOn(order.stretch);
        const transfer = answer.parts.flatMap((part) => (part.kind === 'rest' ? [] : [part.bytes.buffer]));
        post({ type: 'answer', request: order.request, answer }, transfer);
      });
      return 0;
    case 'leave':
      stretches.leave(order.stretch);
      return 0;
    case 'close':
      desk?.finish();
      for (const timer of timers) clearInterval(timer);
      history.close();
      post({ type: 'answer', request: order.request, answer: undefined });
      questions.close();
      port?.close();
      return 0;
  }
}

function answer(history: SqliteHistory, { request, question }: AskHistory): void {
  refusing(request, () => {
    const answer = answerQuestion(history, question);
    const transfer = 'chunks' in answer ? answer.chunks.map(({ buffer }) => buffer) : [];
    post({ type: 'answer', request, answer }, transfer);
  });
}

/** What cannot be answered is refused; anything else that goes wrong ends the thread, loudly. */
function refusing(request: number, work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (!(thrown instanceof DendroError)) throw thrown;
    const { code, message, details } = thrown;
    post({ type: 'refusal', request, code, message, details });
  }
}

let desk: Desk<ToHistory, AskHistory> | undefined;
const timers: NodeJS.Timeout[] = [];
try {
  const history = new SqliteHistory(options.directory, options);
  post({ type: 'ready', state: history.state });
  const opened = new Desk<ToHistory, AskHistory>({
    nextOrder: () => (port === null ? undefined : receiveMessageOnPort(port)?.message),
    nextAsked: () => receiveMessageOnPort(questions)?.message,
    carryOut: (order) => {
      const bytes = carryOut(history, order);
      if (order.type !== 'close') keepUp(history);
      return bytes;
    },
    answer: (asked) => answer(history, asked),
    now: () => performance.now(),
  });
  desk = opened;
  timers.push(
    setInterval(() => keepUp(history), Math.min(flushMs, STATE_MS)),
    setInterval(() => history.warm(WARM_MS), WARM_EVERY_MS),
  );
  port?.on('message', (order: ToHistory) => opened.order(order));
  questions.on('message', (asked: AskHistory) => opened.ask(asked));
} catch (thrown) {
  const error = toError(thrown);
  const code = error instanceof DendroError ? error.code : 'DENDRO_INTERNAL';
  post({ type: 'failed', code, message: error instanceof DendroError ? error.message : String(error.stack) });
  questions.close();
  port?.close();
}
