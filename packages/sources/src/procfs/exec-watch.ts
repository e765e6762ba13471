// Tells of every exec at once. Tracing is read in portions, put into order and
// held back until then: a program that runs for 20 ms has ended before it is
// heard of. The process connector wakes whoever waits for it within 0.1 ms, and
// the kernel leaves out all messages but those of execs.

import { setTimeout as sleep } from 'node:timers/promises';
import type { EventNs } from '@dendro/protocol';
import { type MessageReader, type ProcRecord, readMessages } from '../cn-proc/messages.ts';
import { ConnectorSocket, RECEIVED } from '../cn-proc/socket.ts';

/** Room for some 2,500 execs that wait. */
const ROOM_BYTES = 2 * 1024 * 1024;
/** The kernel answers at once, while the request is being sent. */
const ANSWER_TRIES = 10;
const ANSWER_PAUSE_MS = 5;
/** Messages in one go. */
const PORTION = 4096;

export class ExecWatch {
  /** How often the kernel had no room for a message. */
  overruns = 0;
  readonly #socket: ConnectorSocket;
  readonly #reader: MessageReader;
  readonly #onExec: (pid: number) => void;
  #expectedAck = -1;
  #answer: number | undefined;

  /** @returns undefined where the connector cannot be had */
  static async start(onExec: (pid: number) => void): Promise<ExecWatch | undefined> {
    let watch: ExecWatch | undefined;
    try {
      watch = new ExecWatch(await ConnectorSocket.open(ROOM_BYTES), onExec);
      if (await watch.#subscribe()) return watch;
    } catch {
      // Without it everything works but for the shortest lives; the source that lacks it too says why.
    }
    watch?.stop();
    return undefined;
  }

  private constructor(socket: ConnectorSocket, onExec: (pid: number) => void) {
    this.#socket = socket;
    this.#onExec = onExec;
    this.#reader = {
      fromMonotonicNs: () => 0 as EventNs, // nobody asks when
      record: (record) => this.#take(record),
      reject: () => {}, // that is counted where the connector is a source
    };
  }

  /** Sleeps until there is an exec, or so long. @returns false when there is none */
  wait(ms: number): boolean {
    return this.#socket.wait(ms);
  }

  /**
   * Tells of the execs since the last time.
   * @throws Error when the connector is broken
   */
  drain(): void {
    for (let i = 0; i < PORTION; i++) {
      const length = this.#socket.receive();
      if (length === RECEIVED.nothing) return;
      if (length === RECEIVED.overrun) this.overruns++;
      else if (length > 0) readMessages(this.#socket.view, this.#socket.bytes, length, this.#reader);
    }
  }

  stop(): void {
    this.#socket.close();
  }

  async #subscribe(): Promise<boolean> {
    if (!this.#socket.keepExecsOnly()) return false;
    this.#expectedAck = this.#socket.subscribe();
    for (let i = 0; i < ANSWER_TRIES; i++) {
      this.drain();
      if (this.#answer !== undefined) return this.#answer === 0;
      await sleep(ANSWER_PAUSE_MS);
    }
    return false;
  }

  #take(record: ProcRecord): void {
    if (record.what === 'exec') this.#onExec(record.pid);
    else if (record.what === 'ack' && record.ack === this.#expectedAck) this.#answer = record.error;
  }
}
