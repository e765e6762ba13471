// Keeps the replica fed: finds the host that is wanted, opens the socket, opens it again when
// it is lost, and says where it stands. After a loss it asks for what it
// missed, not for everything.

import { DendroError, type HostInfo, type HostSummary, parseServerMessage, type SourceStatus } from '@dendro/protocol';
import type { Replica } from '../replica/replica.ts';

export type ConnectionStatus =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  /** Lost or refused; tried again at `retryAt` (milliseconds since the epoch). */
  | {
      readonly kind: 'waiting';
      readonly retryAt: number;
      readonly reason: string;
      /** The server is there, and has no host of this id. */
      readonly missingHost?: string | undefined;
    }
  /** The page shows something else, and has asked for nothing. */
  | { readonly kind: 'left' }
  | { readonly kind: 'signed-out' };

export interface ConnectionDeps {
  readonly replica: Replica;
  /** For example `http://127.0.0.1:7337`. */
  readonly origin: string;
  readonly fetch: typeof fetch;
  readonly openSocket: (url: string) => WebSocket;
  readonly random: () => number;
  /** Id of the host that is to be shown; undefined: the first. */
  readonly wantedHost: () => string | undefined;
}

/** What `GET /api/v1/hosts` says of each. */
type ListedHost = HostInfo & { readonly source: Pick<SourceStatus, 'name' | 'state'> };

/** Always the first host, whatever its id is. */
const FIRST_ID = 'local';

const FIRST_DELAY_MS = 250;
/** Whoever looks at the page has it again so soon after the server is back. */
const MAX_DELAY_MS = 2000;
/** Without a word for this long the socket is taken for dead: stats come every second. */
const SILENCE_MS = 6000;
/** After a connection this long the next loss is a new one: the first attempt comes soon again. */
const STEADY_MS = 10_000;
const ANSWER_MS = 8000;

export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #listeners = new Set<() => void>();
  #status: ConnectionStatus = { kind: 'connecting' };
  #hosts: readonly HostSummary[] = [];
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #delay = FIRST_DELAY_MS;
  #connectedAt = Number.POSITIVE_INFINITY;
  /** Everything is asked for and not on its way yet: batches that come now lead nowhere. */
  #awaitsResync = false;
  #isLooking = false;
  /** What came last could not be read: from where this page stands, it would come again. */
  #isSpoilt = false;
  #isPaused = false;
  #hasLeft = false;
  #isStopped = false;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  /** Those that the server has, as it said last. */
  get hosts(): readonly HostSummary[] {
    return this.#hosts;
  }

  /** @returns takes the listener off again */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Opens, or tries again at once. Does nothing while there is a socket. */
  async connect(): Promise<void> {
    if (this.#isStopped || this.#isLooking || this.#socket !== undefined || this.#hasLeft) return;
    clearTimeout(this.#retry);
    this.#setStatus({ kind: 'connecting' });
    this.#isLooking = true;
    const host = await this.#findHost();
    this.#isLooking = false;
    if (this.#hasLeft) this.#setStatus({ kind: 'left' });
    else if (host !== undefined && !this.#isStopped) this.#open(host);
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

  /** Leaves the socket and begins anew, at once. */
  restart(): void {
    this.#isSpoilt = true;
    this.#hasLeft = false;
    this.#lose('Asked for again.');
    void this.connect();
  }

  /** Leaves the socket, and does not come back before `restart`. */
  leave(): void {
    this.#hasLeft = true;
    clearTimeout(this.#retry);
    this.#lose('Left.');
    this.#setStatus({ kind: 'left' });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#socket?.close();
  }

  /** @returns undefined when there is none to be had now; then the status says so and a retry is under way */
  async #findHost(): Promise<HostInfo | undefined> {
    try {
      const answer = await this.#deps.fetch(`${this.#deps.origin}/api/v1/hosts`, {
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      if (answer.status === 401) this.#setStatus({ kind: 'signed-out' });
      else if (!answer.ok) this.#wait(`The server answered ${answer.status}.`);
      else {
        const { hosts } = (await answer.json()) as { hosts: readonly ListedHost[] };
        this.#hosts = hosts.map(summaryOf);
        const wanted = this.#deps.wantedHost() ?? FIRST_ID;
        const host = hosts.find(({ id }) => id === wanted) ?? (wanted === FIRST_ID ? hosts[0] : undefined);
        if (host !== undefined) return host;
        if (hosts.length === 0) this.#wait('The server watches no host yet.');
        else this.#wait(`The server has no host ${wanted}.`, wanted);
      }
    } catch {
      this.#wait('The server does not answer.');
    }
    return undefined;
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
        else this.#take(new Uint8Array(data));
      } catch (thrown) {
        if (!(thrown instanceof DendroError)) throw thrown;
        this.#isSpoilt = true;
        this.#lose(thrown.message);
      }
    };
    socket.onclose = () => this.#lose('The connection was lost.');
    this.#expectWord();
  }

  #take(frame: Uint8Array): void {
    if (this.#awaitsResync || this.#deps.replica.takeFrame(frame)) return;
    this.#awaitsResync = true;
    this.#send({ type: 'subscribe' });
  }

  #hear(text: string): void {
    const { replica } = this.#deps;
    const message = parseServerMessage(text);
    switch (message.type) {
      case 'hello':
        replica.greet(message.host);
        this.#connectedAt = Date.now();
        this.#setStatus({ kind: 'connected' });
        this.#send({ type: 'subscribe', version: this.#isSpoilt ? undefined : replica.version });
        this.#isSpoilt = false;
        return;
      case 'stats':
        replica.takeStats(message);
        return;
      case 'hosts':
        this.#hosts = message.hosts;
        this.#tell();
        return;
      case 'resync':
        this.#awaitsResync = false;
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
    this.#awaitsResync = false;
    if (Date.now() - this.#connectedAt >= STEADY_MS) this.#delay = FIRST_DELAY_MS;
    this.#connectedAt = Number.POSITIVE_INFINITY;
    clearTimeout(this.#silence);
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
    if (!this.#isStopped && !this.#hasLeft) this.#wait(reason);
  }

  // Doubling, with chance, so that many browsers do not come back in step.
  #wait(reason: string, missingHost?: string): void {
    if (this.#hasLeft) return;
    const delay = this.#delay * (0.5 + this.#deps.random() / 2);
    this.#delay = Math.min(MAX_DELAY_MS, this.#delay * 2);
    this.#retry = setTimeout(() => void this.connect(), delay);
    this.#setStatus({ kind: 'waiting', retryAt: Date.now() + delay, reason, missingHost });
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
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function summaryOf({ id, name, isLive, source }: ListedHost): HostSummary {
  return { id, name, isLive, source: source.name, state: source.state };
}
