// One browser on the live socket. What it has is a version; what it gets next
// is the batch that starts there. A browser that is too slow is not queued
// for: it waits until it has taken in what was sent, then gets what it missed,
// or a fresh snapshot when that is too much.

import {
  type ClientMessage,
  DendroError,
  decodeFrame,
  factsOf,
  type HostInfo,
  PROTOCOL_VERSION,
  parseClientMessage,
  type ResyncReason,
  type ServerMessage,
  toError,
  type Version,
} from '@dendro/protocol';
import type { RingEntry } from './batch-ring.ts';

/** The part of a WebSocket that a session needs. */
export interface Socket {
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

/** A frame of a snapshot, encoded once for all who asked. */
export interface SnapshotFrame {
  readonly version: Version;
  readonly isLast: boolean;
  readonly encoded: Uint8Array<ArrayBuffer>;
}

/** What a session asks of the hub. */
export interface SessionHub {
  readonly newest: Version;
  /** Undefined when `version` has left the ring. */
  batchesSince(version: Version): readonly RingEntry[] | undefined;
  /** @returns forgets the request */
  requestSnapshot(take: (frame: SnapshotFrame) => void): () => void;
}

/** With more than this not yet taken by the network a client is too slow... */
const OVERFLOW_BYTES = 4 * 1024 * 1024;
/** ...and with less than this it has caught up. */
const DRAINED_BYTES = 256 * 1024;

type State =
  /** Has not said yet what it wants. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'snapshot'; readonly cancel: () => void }
  | { readonly kind: 'live'; readonly version: Version }
  /** Too slow: nothing is sent until the socket has drained. */
  | { readonly kind: 'behind'; readonly version: Version }
  | { readonly kind: 'paused' }
  | { readonly kind: 'closed' };

export class Session {
  readonly #socket: Socket;
  readonly #hub: SessionHub;
  readonly #isJson: boolean;
  #state: State = { kind: 'waiting' };

  /** @param isJson frames go out as JSON text, to look at by eye */
  constructor(socket: Socket, hub: SessionHub, isJson: boolean) {
    this.#socket = socket;
    this.#hub = hub;
    this.#isJson = isJson;
  }

  get kind(): State['kind'] {
    return this.#state.kind;
  }

  say(message: ServerMessage): void {
    if (this.#state.kind !== 'closed') this.#socket.send(JSON.stringify(message));
  }

  /** Says hello, again if need be: whatever was sent before means nothing then, and the client says anew what it wants. */
  greet(host: HostInfo, version: Version): void {
    if (this.#state.kind === 'closed') return;
    this.#leaveSnapshot();
    this.#state = { kind: 'waiting' };
    this.say({ type: 'hello', protocol: PROTOCOL_VERSION, host, version });
  }

  /** A message of the client. One that is not valid ends the session. */
  hear(text: string): void {
    try {
      this.#obey(parseClientMessage(text));
    } catch (thrown) {
      const error = toError(thrown);
      if (!(error instanceof DendroError)) throw error;
      this.say({ type: 'error', code: error.code, message: error.message });
      this.end(1008, error.code);
    }
  }

  /** A batch was committed. */
  offer(entry: RingEntry): void {
    const state = this.#state;
    if (state.kind !== 'live') return;
    if (this.#socket.bufferedAmount > OVERFLOW_BYTES) {
      this.#state = { kind: 'behind', version: state.version };
      return;
    }
    this.#send(entry.frame);
    this.#state = { kind: 'live', version: entry.to };
  }

  /** Called now and then: a client that was too slow may have caught up. */
  poke(): void {
    const state = this.#state;
    if (state.kind === 'behind' && this.#socket.bufferedAmount < DRAINED_BYTES)
      this.#catchUp(state.version, 'outbox-full');
  }

  end(code: number, reason: string): void {
    this.forget();
    this.#socket.close(code, reason);
  }

  /** The socket is gone. */
  forget(): void {
    this.#leaveSnapshot();
    this.#state = { kind: 'closed' };
  }

  #obey(message: ClientMessage): void {
    switch (message.type) {
      case 'subscribe':
      case 'resume':
        this.#leaveSnapshot();
        if (message.version === undefined) this.#resync('first');
        else if (message.version > this.#hub.newest) this.#resync('version-unknown');
        else this.#catchUp(message.version, 'version-too-old');
        return;
      case 'pause':
        this.#leaveSnapshot();
        this.#state = { kind: 'paused' };
    }
  }

  /** Sends all batches since `version`, or a snapshot for `reason` when they are not here any more. */
  #catchUp(version: Version, reason: ResyncReason): void {
    const missed = this.#hub.batchesSince(version);
    if (missed === undefined) {
      this.#resync(reason);
      return;
    }
    for (const entry of missed) this.#send(entry.frame);
    this.#state = { kind: 'live', version: missed.at(-1)?.to ?? version };
  }

  #resync(reason: ResyncReason): void {
    this.say({ type: 'resync', reason });
    const cancel = this.#hub.requestSnapshot((frame) => {
      this.#send(frame.encoded);
      // What was committed while the snapshot was on its way is sent once this has drained.
      if (!frame.isLast) return;
      this.#state = { kind: 'behind', version: frame.version };
      // One that leads nowhere is not followed by the next at once, but by when it is poked.
      if (this.#hub.batchesSince(frame.version) !== undefined) this.poke();
    });
    this.#state = { kind: 'snapshot', cancel };
  }

  #leaveSnapshot(): void {
    if (this.#state.kind === 'snapshot') this.#state.cancel();
  }

  #send(encoded: Uint8Array): void {
    this.#socket.send(this.#isJson ? frameAsJson(encoded) : encoded);
  }
}

function frameAsJson(encoded: Uint8Array): string {
  const { batch, ...header } = decodeFrame(encoded);
  const facts = factsOf(batch);
  return JSON.stringify({ type: header.kind, ...header, facts });
}
