// The worker of bench:capture: a live source alone, or source and tree by the
// FeedRunner that the server's worker runs. It measures what only it can see,
// how long after its time an event has been taken in, and which arguments are known.

import { parentPort, workerData } from 'node:worker_threads';
import { type EventNs, FIELDS, fromWireText, type TaskEvent } from '@dendro/protocol';
import { EbpfSource, type Source } from '@dendro/sources';
import { type Feed, feedsFor } from '../src/tree-worker/choose-source.ts';
import { FeedRunner } from '../src/tree-worker/feed-runner.ts';

const port = parentPort;
if (port === null) throw new Error('capture-worker.ts runs as a worker thread only');
const { source: spec, withTree } = workerData as { source: string; withTree: boolean };

/** Reading the clock for every event would be work of its own. */
const SAMPLE = 16;
const MAX_DELAYS = 1 << 20;
const delays = new Float64Array(MAX_DELAYS);
let sampled = 0;
let events = 0;
let births = 0;

/** The source, with a look at each event once it has been taken. */
function watched(feed: Feed): Feed {
  const { source, clock } = feed;
  const start: Source['start'] = (sink) =>
    source.start((event: TaskEvent) => {
      sink(event);
      events++;
      if (event.type === 'fork' && event.comm === 'dendro-storm') births++;
      if (events % SAMPLE !== 0 || clock === undefined) return;
      if (event.type !== 'fork' && event.type !== 'exec' && event.type !== 'rename' && event.type !== 'exit') return;
      delays[sampled++ % MAX_DELAYS] = clock.now() - event.at;
    });
  const same: Source = {
    name: source.name,
    isLive: source.isLive,
    start,
    status: () => source.status(),
    stop: () => source.stop(),
  };
  return { ...feed, source: same };
}

function quantiles(): readonly number[] {
  const taken = delays.slice(0, Math.min(sampled, MAX_DELAYS)).sort();
  return [0.5, 0.99].map((share) => (taken[Math.floor(taken.length * share)] ?? Number.NaN) / 1e6);
}

/** How many arguments that begin with `tag` are in the tree. */
function argumentsWith(runner: FeedRunner, tag: string): number {
  const { tree } = runner.first.host;
  const found = new Set<string>();
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as Parameters<typeof tree.tidOf>[0];
    if (!tree.isPresent(task)) continue;
    const text = tree.wireTextAt(task, 'argv', tree.exitOf(task));
    const argv = text === undefined ? [] : fromWireText(FIELDS.argv.type, text);
    const last = Array.isArray(argv) ? String(argv.at(-1)) : '';
    if (last.startsWith(`${tag}-`)) found.add(last);
  }
  return found.size;
}

const [open] = feedsFor(spec, true);
if (open === undefined) throw new Error(`no source ${spec}`);
const opened = open();
const feed = watched(opened);
let runner: FeedRunner | undefined;
if (withTree) {
  const options = { source: spec, maxProcesses: 16_384, maxThreads: 32_768 };
  runner = await FeedRunner.start(options, [() => feed], (message, transfer = []) => {
    port.postMessage(message.type === 'batch' ? { batch: message.bytes } : { other: message.type }, transfer);
  });
} else await feed.source.start(() => {});

port.on('message', (message: { ask: 'counts' | 'reset' | 'argv' | 'stop'; tag?: string }) => {
  if (message.ask === 'reset') {
    sampled = 0;
    births = 0;
    events = 0;
    port.postMessage({ answer: {} });
  } else if (message.ask === 'counts') {
    const { lost, rejected, events: read, name } = feed.source.status();
    const childPid = opened.source instanceof EbpfSource ? opened.source.childPid : undefined;
    port.postMessage({ answer: { events, births, lost, rejected, read, name, delays: quantiles(), childPid } });
  } else if (message.ask === 'argv') {
    port.postMessage({ answer: { known: runner === undefined ? 0 : argumentsWith(runner, message.tag ?? '') } });
  } else {
    void (runner ?? feed.source).stop().then(() => {
      port.postMessage({ answer: {} });
      port.close();
    });
  }
});
port.postMessage({ answer: { now: feed.clock?.now() ?? (0 as EventNs) } });
