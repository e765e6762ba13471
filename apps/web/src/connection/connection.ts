// Keeps the replica fed: finds the host, opens the socket, opens it again when
// it is lost, and says where it stands. After a loss it asks for what it
// missed, not for everything.

import { DendroError, type HostInfo, parseServerMessage, toError } from '@dendro/protocol';
import type { Replica } from '../replica/replica.ts';

export type ConnectionStatus =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  /** Lost or refused; tried again at `retryAt` (milliseconds since the epoch). */
  | { readonly kind: 'waiting'; readonly retryAt: number; readonly reason: string }
  | { readonly kind: 'signed-out' };

export interface ConnectionDeps {
  readonly replica: Replica;
  /** For example `http://127.0.0.1:7337`. */
  readonly origin: string;
  readonly fetch: typeof fetch;
  readonly openSocket: (url: string) => WebSocket;
  readonly random: () => number;
}

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;
/** Without a word for this long the socket is taken for dead: stats come every second. */
const SILENCE_MS = 6000;

export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #listeners = new Set<() => void>();
  #status: ConnectionStatus = { kind: 'connecting' };
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #delay = FIRST_DELAY_MS;
  #isPaused = false;
  #isStopped = false;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  /** @returns takes the listener off again */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Opens, or tries again at once. */
  async connect(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#isStopped || this.#socket !== undefined) return;
    this.#setStatus({ kind: 'connecting' });
    let host: HostInfo;
    try {
      const answer = await this.#deps.fetch(`${this.#deps.origin}/api/v1/hosts`);
      if (answer.status === 401) return this.#setStatus({ kind: 'signed-out' });
      if (!answer.ok) return this.#wait(`The server answered ${answer.status}.`);
      const { hosts } = (await answer.json()) as { hosts: readonly HostInfo[] };
      const [first] = hosts;
      if (first === undefined) return this.#wait('The server watches no host.');
      host = first;
    } catch {
      return this.#wait('The server does not answer.');
    }
    if (!this.#isStopped && this.#socket === undefined) this.#open(host);
  }

  /** The page cannot be seen: nothing needs to be sent until it can. */
  pause(): void {
    this.#isPaused = true;
    clearTimeout(this.#silence);
    this.#send({ type: 'pause' });
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#send({ type: 'resume', version: this.#deps.replica.version });
    this.#expectWord();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#socket?.close();
  }

  #open(host: HostInfo): void {
    const url = `${this.#deps.origin.replace(/^http/, 'ws')}/api/v1/hosts/${encodeURIComponent(host.id)}/live`;
    const socket = this.#deps.openSocket(url);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      this.#expectWord();
      try {
        if (typeof data === 'string') this.#hear(data);
        else if (!this.#deps.replica.takeFrame(new Uint8Array(data))) this.#send({ type: 'subscribe' });
      } catch (thrown) {
        if (!(thrown instanceof DendroError)) throw thrown;
        this.#lose(toError(thrown).message);
      }
    };
    socket.onclose = () => this.#lose('The connection was lost.');
    this.#expectWord();
  }

  #hear(text: string): void {
    const { replica } = this.#deps;
    const message = parseServerMessage(text);
    switch (message.type) {
      case 'hello':
        replica.greet(message.host);
        this.#delay = FIRST_DELAY_MS;
        this.#setStatus({ kind: 'connected' });
        this.#send({ type: 'subscribe', version: replica.version });
        return;
      case 'stats':
        replica.takeStats(message);
        return;
      case 'resync':
        replica.resync();
        return;
      case 'error':
        this.#lose(message.message);
    }
  }

  #lose(reason: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    clearTimeout(this.#silence);
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
    if (!this.#isStopped) this.#wait(reason);
  }

  // Doubling, with chance, so that many browsers do not come back in step.
  #wait(reason: string): void {
    const delay = this.#delay * (0.5 + this.#deps.random() / 2);
    this.#delay = Math.min(MAX_DELAY_MS, this.#delay * 2);
    this.#retry = setTimeout(() => void this.connect(), delay);
    this.#setStatus({ kind: 'waiting', retryAt: Date.now() + delay, reason });
  }

  #expectWord(): void {
    clearTimeout(this.#silence);
    if (!this.#isPaused) this.#silence = setTimeout(() => this.#lose('The server has gone silent.'), SILENCE_MS);
  }

  #send(message: object): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #setStatus(status: ConnectionStatus): void {
    this.#status = status;
    for (const listener of this.#listeners) listener();
  }
}
