import { type EventNs, encodeFrame, PROTOCOL_VERSION, type Version } from '@dendro/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { BatchRing, type RingEntry } from './batch-ring.ts';
import { Session, type SessionHub, type SnapshotFrame, type Socket } from './session.ts';

const MIB = 1024 * 1024;
const version = (n: number) => n as Version;

function frame(kind: 'batch' | 'snapshot', from: number, to: number, isLast = true): Uint8Array<ArrayBuffer> {
  return encodeFrame({
    kind,
    isLast,
    from: version(from),
    to: version(to),
    now: 0 as EventNs,
    batch: new Uint8Array(68),
  });
}

/** A hub whose snapshots come when the test says so, and a socket that drains when the test says so. */
class Bench implements SessionHub, Socket {
  newest = version(0);
  bufferedAmount = 0;
  readonly ring = new BatchRing(1_000);
  readonly requests = new Set<(frame: SnapshotFrame) => void>();
  readonly sent: string[] = [];
  readonly session = new Session(this, this, false);

  send(data: string | Uint8Array): void {
    if (typeof data === 'string') this.sent.push(data);
    else {
      const view = new DataView(data.buffer, data.byteOffset);
      this.sent.push(
        `${data[0] === 1 ? 'batch' : 'snapshot'} ${view.getFloat64(8, true)}..${view.getFloat64(16, true)}`,
      );
    }
  }

  close(code: number): void {
    this.sent.push(`close ${code}`);
  }

  batchesSince(from: Version): readonly RingEntry[] | undefined {
    return this.ring.since(from, this.newest);
  }

  requestSnapshot(take: (frame: SnapshotFrame) => void): () => void {
    this.requests.add(take);
    return () => this.requests.delete(take);
  }

  commit(): void {
    const from = this.newest;
    this.newest = version(from + 1);
    const entry = { from, to: this.newest, frame: frame('batch', from, this.newest) };
    this.ring.push(entry);
    this.session.offer(entry);
  }

  snapshot(at: number, isLast = true): void {
    for (const take of [...this.requests]) {
      if (isLast) this.requests.delete(take);
      take({ version: version(at), isLast, encoded: frame('snapshot', 0, at, isLast) });
    }
  }

  taken(): string[] {
    return this.sent.splice(0);
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe('a session', () => {
  test('sends nothing before it is asked to', () => {
    bench.commit();
    expect(bench.taken()).toEqual([]);
  });

  test('sends a snapshot, then what was committed while it was on its way, then each batch', () => {
    bench.commit();
    bench.session.hear('{"type":"subscribe"}');
    bench.snapshot(1, false);
    bench.commit();
    bench.snapshot(1);
    bench.commit();
    expect(bench.taken()).toEqual([
      '{"type":"resync","reason":"first"}',
      'snapshot 0..1',
      'snapshot 0..1',
      'batch 1..2',
      'batch 2..3',
    ]);
  });

  test('gives a client that comes back the batches it missed', () => {
    for (let i = 0; i < 5; i++) bench.commit();
    bench.session.hear('{"type":"subscribe","version":3}');
    expect(bench.taken()).toEqual(['batch 3..4', 'batch 4..5']);
    bench.commit();
    expect(bench.taken()).toEqual(['batch 5..6']);
  });

  test('gives what is still in a ring that has less room than before', () => {
    for (let i = 0; i < 9; i++) bench.commit();
    bench.ring.maxBytes = 250; // of entries of 100 bytes
    bench.session.hear('{"type":"subscribe","version":6}');
    expect(bench.taken()).toEqual(['{"type":"resync","reason":"version-too-old"}']);
    bench.session.hear('{"type":"subscribe","version":7}');
    expect(bench.taken()).toEqual(['batch 7..8', 'batch 8..9']);
  });

  test('gives a client whose version has left the ring a snapshot, never a part', () => {
    for (let i = 0; i < 50; i++) bench.commit();
    bench.session.hear('{"type":"subscribe","version":3}');
    expect(bench.taken()).toEqual(['{"type":"resync","reason":"version-too-old"}']);
    bench.snapshot(50);
    expect(bench.taken()).toEqual(['snapshot 0..50']);
  });

  test('queues nothing for a client that is too slow, and lets it catch up from the ring', () => {
    bench.session.hear('{"type":"subscribe","version":0}');
    bench.commit();
    bench.bufferedAmount = 5 * MIB;
    bench.commit();
    bench.commit();
    bench.session.poke();
    expect(bench.taken()).toEqual(['batch 0..1']);
    bench.bufferedAmount = 0;
    bench.session.poke();
    expect(bench.taken()).toEqual(['batch 1..2', 'batch 2..3']);
  });

  test('gives a client that was too slow for too long a snapshot once it has drained', () => {
    bench.session.hear('{"type":"subscribe","version":0}');
    bench.bufferedAmount = 5 * MIB;
    for (let i = 0; i < 50; i++) bench.commit();
    bench.bufferedAmount = 0;
    bench.session.poke();
    expect(bench.taken()).toEqual(['{"type":"resync","reason":"outbox-full"}']);
  });

  test('does not take a snapshot that is larger than the outbox for slowness', () => {
    bench.session.hear('{"type":"subscribe"}');
    bench.bufferedAmount = 20 * MIB;
    bench.snapshot(0);
    bench.commit();
    bench.session.poke();
    bench.bufferedAmount = 0;
    bench.session.poke();
    expect(bench.taken()).toEqual(['{"type":"resync","reason":"first"}', 'snapshot 0..0', 'batch 0..1']);
  });

  test('asks for no further snapshot at once when one has led nowhere', () => {
    bench.session.hear('{"type":"subscribe"}');
    for (let i = 0; i < 50; i++) bench.commit();
    bench.snapshot(1);
    expect(bench.taken()).toEqual(['{"type":"resync","reason":"first"}', 'snapshot 0..1']);
    bench.session.poke();
    expect(bench.taken()).toEqual(['{"type":"resync","reason":"outbox-full"}']);
    bench.snapshot(50);
    bench.commit();
    expect(bench.taken()).toEqual(['snapshot 0..50', 'batch 50..51']);
  });

  test('sends nothing while paused and goes on where it was', () => {
    bench.session.hear('{"type":"subscribe","version":0}');
    bench.session.hear('{"type":"pause"}');
    bench.commit();
    expect(bench.taken()).toEqual([]);
    bench.session.hear('{"type":"resume","version":0}');
    expect(bench.taken()).toEqual(['batch 0..1']);
  });

  test('greeted anew sends nothing more until it is asked again, whatever it was about to send', () => {
    const host = { id: 'local', name: 'n1', baseEpochNs: '7', isLive: true, users: {} };
    const hello = JSON.stringify({ type: 'hello', protocol: PROTOCOL_VERSION, host, version: 1 });
    bench.session.hear('{"type":"subscribe","version":0}');
    bench.commit();
    bench.session.hear('{"type":"subscribe"}');
    bench.session.greet(host, bench.newest);
    expect(bench.requests.size).toBe(0);
    bench.commit();
    expect(bench.taken()).toEqual(['batch 0..1', '{"type":"resync","reason":"first"}', hello]);
    bench.session.hear('{"type":"subscribe"}');
    bench.snapshot(2);
    expect(bench.taken()).toEqual(['{"type":"resync","reason":"first"}', 'snapshot 0..2']);
  });

  test('forgets its snapshot when it is gone', () => {
    bench.session.hear('{"type":"subscribe"}');
    bench.session.forget();
    expect(bench.requests.size).toBe(0);
    bench.commit();
    expect(bench.taken()).toEqual(['{"type":"resync","reason":"first"}']);
  });
});
