// Between the tree of a host and all live sockets on it: each batch is encoded
// once and offered to every session.

import { encodeFrame, type HostSummary, toVersion, type Version } from '@dendro/protocol';
import type { HostClient } from '../tree-worker/host-client.ts';
import { BatchRing, type RingEntry } from './batch-ring.ts';
import { Session, type SessionHub, type SnapshotFrame, type Socket } from './session.ts';

const POKE_MS = 100;

export class LiveHub implements SessionHub {
  readonly #client: HostClient;
  readonly #sessions = new Set<Session>();
  readonly #ring = new BatchRing(0);
  readonly #unlisten: () => void;
  readonly #pokes: NodeJS.Timeout;
  /** Those who wait for the same snapshot: it is taken once for all. */
  readonly #waiting = new Set<(frame: SnapshotFrame) => void>();
  #isSnapshotOnItsWay = false;

  constructor(client: HostClient) {
    this.#client = client;
    this.#unlisten = client.listen({
      batch: ({ from, to, now, bytes }) => {
        const frame = encodeFrame({ kind: 'batch', isLast: true, from, to, now, batch: bytes });
        const entry: RingEntry = { from, to, frame };
        this.#ring.push(entry);
        for (const session of this.#sessions) session.offer(entry);
      },
      status: ({ now, source, stats }) => {
        for (const session of this.#sessions) {
          if (session.kind !== 'paused') session.say({ type: 'stats', now, source, stats });
        }
      },
      host: (host) => {
        for (const session of this.#sessions) session.greet(host, this.newest);
      },
    });
    this.#pokes = setInterval(() => {
      for (const session of this.#sessions) session.poke();
    }, POKE_MS);
  }

  get newest(): Version {
    return toVersion(this.#client.version);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Bytes of batches that are kept for browsers that come back. */
  set ringBytes(bytes: number) {
    this.#ring.maxBytes = bytes;
  }

  /** Says which hosts there are. */
  sayHosts(hosts: readonly HostSummary[]): void {
    for (const session of this.#sessions) session.say({ type: 'hosts', hosts });
  }

  /** Nothing more will come. */
  fail(): void {
    for (const session of this.#sessions) {
      session.say({
        type: 'error',
        code: 'DENDRO_TREE_UNAVAILABLE',
        message: 'The process tree has stopped: start dendro again.',
      });
      session.end(1011, 'DENDRO_TREE_UNAVAILABLE');
    }
  }

  /** Greets a new socket. `leave` must be called when it is gone. */
  join(socket: Socket, isJson: boolean): Session {
    const session = new Session(socket, this, isJson);
    this.#sessions.add(session);
    session.greet(this.#client.info, this.newest);
    const { now, source, stats } = this.#client.status;
    session.say({ type: 'stats', now, source, stats });
    return session;
  }

  leave(session: Session): void {
    session.forget();
    this.#sessions.delete(session);
  }

  batchesSince(version: Version): readonly RingEntry[] | undefined {
    return this.#ring.since(version, this.newest);
  }

  requestSnapshot(take: (frame: SnapshotFrame) => void): () => void {
    this.#waiting.add(take);
    this.#startSnapshot();
    return () => this.#waiting.delete(take);
  }

  /** Ends all sessions: the server goes down. */
  close(): void {
    clearInterval(this.#pokes);
    this.#unlisten();
    for (const session of this.#sessions) session.end(1001, 'dendro is stopping');
    this.#sessions.clear();
  }

  #startSnapshot(): void {
    if (this.#isSnapshotOnItsWay || this.#waiting.size === 0) return;
    this.#isSnapshotOnItsWay = true;
    const takers = new Set(this.#waiting);
    this.#client.requestSnapshot((chunk) => {
      const { version, isLast, now } = chunk;
      const from = toVersion(0);
      const encoded = encodeFrame({ kind: 'snapshot', isLast, from, to: version, now, batch: chunk.bytes });
      for (const take of takers) {
        if (!this.#waiting.has(take)) continue; // it has gone in the meantime
        if (isLast) this.#waiting.delete(take);
        take({ version, isLast, encoded });
      }
      if (!isLast) return;
      this.#isSnapshotOnItsWay = false;
      this.#startSnapshot();
    });
  }
}
