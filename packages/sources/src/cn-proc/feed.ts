// The messages of the process connector, read a bounded portion at a time.

import { setTimeout as sleep } from 'node:timers/promises';
import type { EventNs } from '@dendro/protocol';
import type { HostClock } from '../host-clock.ts';
import { FeedCounters } from '../tracefs/cpu-stream.ts';
import { type AckRecord, MAX_CPU, type MessageReader, type ProcRecord, readMessages } from './messages.ts';
import { SequenceCheck } from './sequence.ts';
import { ConnectorSocket, RECEIVED, refused, unavailable } from './socket.ts';

/** A record that says what happened, not an answer to somebody's subscription. */
export type HappeningRecord = Exclude<ProcRecord, AckRecord>;

export interface FeedOptions {
  readonly clock: HostClock;
  readonly onRecord: (record: HappeningRecord) => void;
  /** Between these times so many messages were lost. */
  readonly onLost: (from: EventNs, to: EventNs, lost: number) => void;
  readonly roomBytes?: number | undefined;
}

/** Messages in one turn: some 20 ms of work. */
const PORTION = 16_384;
/** How much later than its time a message may come, behind those of other CPUs. */
const LATE_NS = 1_000_000;
/** The kernel answers at once, while the request is being sent. */
const ANSWER_TRIES = 10;
const ANSWER_PAUSE_MS = 5;

export class CnProcFeed {
  readonly counters = new FeedCounters();
  /** Messages of an earlier time have been read; one may still come late, as CPUs do not wait for each other. */
  readUntil = Number.NEGATIVE_INFINITY as EventNs;
  /** How often there was no room for a message. */
  overruns = 0;
  readonly #options: FeedOptions;
  readonly #sequence = new SequenceCheck();
  readonly #reader: MessageReader;
  #socket: ConnectorSocket | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  #expectedAck: number | undefined;
  #answer: number | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    const { clock } = options;
    this.#reader = {
      fromMonotonicNs: (high, low) => clock.fromMonotonicNs(high, low),
      record: (record) => this.#take(record),
      reject: (reason) => this.counters.reject(reason),
    };
  }

  /** May the kernel keep as many messages as we asked for? */
  get hasRoom(): boolean {
    return this.#socket?.hasRoom ?? false;
  }

  /**
   * Subscribes. From then on messages wait to be read.
   * @throws DendroError DENDRO_SOURCE_UNAVAILABLE
   */
  async start(): Promise<void> {
    this.#socket = await ConnectorSocket.open(this.#options.roomBytes);
    try {
      this.#expectedAck = this.#socket.subscribe();
      for (let i = 0; i < ANSWER_TRIES; i++) {
        this.read();
        if (this.#answer !== undefined) break;
        await sleep(ANSWER_PAUSE_MS);
      }
      // Outside of them the kernel says nothing at all, and neither does one without the connector.
      if (this.#answer === undefined) {
        throw unavailable(
          'it does not answer; it does so only in the user and pid namespaces of the host (docker: --pid=host) and on a kernel with CONFIG_PROC_EVENTS',
        );
      }
      if (this.#answer !== 0) throw refused(this.#answer);
    } catch (thrown) {
      this.stop();
      throw thrown;
    }
  }

  /**
   * Reads what there is now.
   * @returns false when that was more than one portion
   * @throws Error when the socket is broken
   */
  read(): boolean {
    const socket = this.#socket;
    if (socket === undefined) return true;
    const began = this.#options.clock.now();
    for (let i = 0; i < PORTION; i++) {
      const received = socket.receive();
      if (received === RECEIVED.nothing) {
        this.readUntil = began;
        return true;
      }
      if (received > 0) readMessages(socket.view, socket.bytes, received, this.#reader);
      else if (received === RECEIVED.overrun) this.overruns++;
      else this.counters.reject('foreign-message');
    }
    this.readUntil = Math.max(this.readUntil, this.#lastAt - LATE_NS) as EventNs;
    return false;
  }

  /** Harmless when repeated. */
  stop(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #take(record: ProcRecord): void {
    if (record.cpu <= MAX_CPU) this.#checkSequence(record);
    if (record.what === 'ack') {
      // Every listener gets the answers to all.
      if (record.ack === this.#expectedAck) this.#answer = record.error;
      return;
    }
    this.counters.records++;
    this.#lastAt = record.at;
    this.#options.onRecord(record);
  }

  #checkSequence({ cpu, seq, at }: ProcRecord): void {
    const gap = this.#sequence.take(cpu, seq, at);
    if (gap === undefined) return;
    this.counters.lost += gap.lost;
    this.#options.onLost(gap.from, at, gap.lost);
  }
}

/** What a user should know of how the feed is doing. */
export function* feedNotices({ counters, overruns, hasRoom }: CnProcFeed): Generator<string> {
  if (overruns > 0) {
    const remedy = hasRoom ? '' : '; with CAP_NET_ADMIN there is more room';
    yield `The process connector ran out of room ${overruns} times and lost ${counters.lost} messages${remedy}.`;
  } else if (counters.lost > 0) yield `The process connector lost ${counters.lost} messages.`;
}
