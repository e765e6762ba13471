// Tracee's gRPC service as a source: its events as they happen, over a unix
// socket or tcp. A connection that breaks is made again, with pauses that grow;
// what happened meanwhile is not told again by Tracee, so the tree gets a gap.

import { DendroError, type EventNs, type SourceStatus, type TaskEvent } from '@dendro/protocol';
import type { EventSink, Source } from '../source.ts';
import { eventOfMessage } from './event-message.ts';
import type { GrpcFailure, GrpcStream } from './grpc-stream.ts';
import { type FeedHost, HostSplit } from './host-split.ts';
import { TraceeDecoder } from './tracee-decoder.ts';

const CONNECT_TIMEOUT_MS = 5000;
/** A refusal comes at once; an accepted stream says nothing before its first event. */
const REFUSAL_MS = 200;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** A connection that held for so long was a good one: the next pause is short again. */
const GOOD_MS = 10_000;
const UNIX = /^unix:(?!\/\/[^/]).+/;
const TCP = /^(?<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?<port>\d{1,5})$/;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Numbers of gRPC. */
const CODE = { unimplemented: 12, permissionDenied: 7, resourceExhausted: 8, unauthenticated: 16 } as const;

export interface TraceeGrpcOptions {
  /** Whose the events are: over gRPC Tracee names no host. */
  readonly fallback?: FeedHost | undefined;
  readonly hosts?: HostSplit | undefined;
  /** Policies of Tracee whose events are asked for; otherwise all events. */
  readonly policies?: readonly string[] | undefined;
  /** The first pause before the connection is made again. */
  readonly firstPauseMs?: number | undefined;
}

export class TraceeGrpcSource implements Source {
  readonly name: string;
  readonly isLive = true;
  readonly #address: string;
  readonly #isUnix: boolean;
  readonly #host: string;
  readonly #hosts: HostSplit;
  readonly #fallback: FeedHost | undefined;
  readonly #policies: readonly string[];
  readonly #firstPauseMs: number;
  #sink: EventSink = () => {};
  /** Read when it is needed: gRPC is as much code as all else that a start reads. */
  #streams: typeof GrpcStream | undefined;
  #decoder: TraceeDecoder | undefined;
  #stream: GrpcStream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: SourceStatus['state'] = 'starting';
  #isConnected = false;
  #since = Date.now();
  #pauseMs: number;
  #breaks = 0;
  #brokenMs = 0;
  #whyBroken = '';
  #newest: EventNs | undefined;
  /** The next event comes after a time of which nothing was told. */
  #isBehindGap = false;

  /** @param address `unix:/run/tracee.sock` or `HOST:PORT` @throws DendroError DENDRO_OPTION_INVALID */
  constructor(
    address: string,
    { hosts = new HostSplit(), fallback, policies = [], firstPauseMs = FIRST_PAUSE_MS }: TraceeGrpcOptions = {},
  ) {
    const { host, port } = TCP.exec(address)?.groups ?? {};
    this.#isUnix = UNIX.test(address);
    if (!this.#isUnix && (host === undefined || Number(port) < 1 || Number(port) > 65_535)) {
      throw new DendroError(
        'DENDRO_OPTION_INVALID',
        `"${address.slice(0, 200)}" is no address of Tracee's gRPC server: give unix:/run/tracee.sock or HOST:PORT.`,
      );
    }
    this.name = `tracee-grpc:${address}`;
    this.#address = address;
    this.#host = host ?? '';
    this.#hosts = hosts;
    this.#fallback = fallback;
    this.#policies = policies;
    this.#firstPauseMs = firstPauseMs;
    this.#pauseMs = firstPauseMs;
  }

  /** Does Tracee run on this machine? */
  get isLocal(): boolean {
    return this.#isUnix || LOOPBACK.test(this.#host);
  }

  async start(sink: EventSink): Promise<void> {
    this.#sink = sink;
    this.#decoder = new TraceeDecoder((event, host) => this.#pass(event, host), {
      hosts: this.#hosts,
      fallback: this.#fallback,
      latest: Number.POSITIVE_INFINITY,
    });
    this.#streams = (await import('./grpc-stream.ts')).GrpcStream;
    if (this.status().state === 'ended') return;
    const refusal = await this.#connectFirst();
    if (refusal === undefined || this.#state === 'ended') return;
    this.#state = 'failed';
    throw new DendroError(
      'DENDRO_SOURCE_UNAVAILABLE',
      `Tracee cannot be heard at ${this.#address}: ${why(refusal)}; start it with --server grpc, or give another address.`,
    );
  }

  status(): SourceStatus {
    const decoder = this.#decoder;
    return {
      name: this.name,
      state: this.#state,
      detail: this.#detail,
      notices: [...this.#ownNotices, ...(decoder?.notices ?? [])],
      events: decoder?.decoded ?? 0,
      lost: 0,
      rejected: { ...decoder?.rejected },
      progress: undefined,
    };
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#state !== 'failed') this.#state = 'ended';
    this.#stream?.close();
    this.#stream = undefined;
  }

  get #detail(): string {
    const what = `Events of Tracee over gRPC, from ${this.#address}`;
    if (this.#state === 'ended') return `${what}.`;
    const since = new Date(this.#since).toISOString();
    if (this.#isConnected) return `${what}: connected since ${since}.`;
    return `${what}: reconnecting since ${since}, for ${this.#whyBroken || 'it has just begun'}.`;
  }

  get #ownNotices(): string[] {
    const notices: string[] = [];
    if (!this.isLocal) notices.push(`What comes from ${this.#host} is not encrypted on its way.`);
    if (this.#breaks > 0) {
      const ms = this.#brokenMs + (this.#isConnected ? 0 : Date.now() - this.#since);
      const times = this.#breaks === 1 ? 'once' : `${this.#breaks} times`;
      notices.push(
        `The connection to Tracee broke ${times}, for ${(ms / 1000).toFixed(1)} s in all (${this.#whyBroken}): ` +
          'what happened meanwhile is missing, and nobody knows how much that is.',
      );
    }
    return notices;
  }

  /** @returns why there is no stream */
  #connectFirst(): Promise<GrpcFailure | undefined> {
    return new Promise((resolve) => {
      let isSettled = false;
      this.#open((failure) => {
        if (isSettled) return false;
        isSettled = true;
        if (failure === undefined && this.#state === 'starting') this.#state = 'running';
        resolve(failure);
        return true;
      });
    });
  }

  /** @param settle is told once how it went, and says whether it has taken care of a failure */
  #open(settle: (failure: GrpcFailure | undefined) => boolean): void {
    const listener = {
      connected: () => {
        this.#noteConnected();
        this.#timer = setTimeout(() => settle(undefined), REFUSAL_MS);
      },
      event: (event: unknown) => {
        settle(undefined);
        this.#decoder?.pushEvent(eventOfMessage(event));
      },
      ended: (failure: GrpcFailure | undefined) => {
        clearTimeout(this.#timer);
        const reason = failure ?? { code: 0, details: 'Tracee has closed it' };
        if (!settle(reason) && this.#state === 'running') this.#noteBroken(reason);
      },
    };
    if (this.#streams === undefined) throw new Error('a stream before the start');
    this.#stream = new this.#streams(this.#address, this.#policies, listener, CONNECT_TIMEOUT_MS);
  }

  #noteConnected(): void {
    const now = Date.now();
    if (this.#breaks > 0) this.#brokenMs += now - this.#since;
    this.#isConnected = true;
    this.#since = now;
  }

  #noteBroken(failure: GrpcFailure): void {
    const now = Date.now();
    this.#whyBroken = why(failure);
    if (this.#isConnected) {
      if (now - this.#since > GOOD_MS) this.#pauseMs = this.#firstPauseMs;
      this.#isConnected = false;
      this.#since = now;
      this.#breaks++;
      this.#isBehindGap = true;
    }
    // Many that were cut off together should not come back together.
    const pause = this.#pauseMs * (0.5 + Math.random() / 2);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    this.#timer = setTimeout(() => this.#open(() => false), pause);
  }

  #pass(event: TaskEvent, host: FeedHost | undefined): void {
    if ('at' in event) {
      const newest = this.#newest ?? event.at;
      this.#newest = Math.max(newest, event.at) as EventNs;
      if (this.#isBehindGap) this.#sink({ type: 'gap', from: newest, to: this.#newest, lost: 0 }, host);
      this.#isBehindGap = false;
    }
    this.#sink(event, host);
  }
}

function why({ code, details }: GrpcFailure): string {
  switch (code) {
    case CODE.unimplemented:
      return 'who answers there is no Tracee, or one that does not stream events';
    case CODE.permissionDenied:
    case CODE.unauthenticated:
      return 'it refuses to tell';
    case CODE.resourceExhausted:
      return 'it sent an event that is too large';
    default:
      return whyNotThere(details);
  }
}

function whyNotThere(details: string): string {
  if (details.includes('ENOENT')) return 'there is no such socket';
  if (details.includes('EACCES') || details.includes('EPERM')) return 'this user may not use the socket';
  if (details.includes('ECONNREFUSED')) return 'nobody listens there';
  if (details.includes('ENOTFOUND') || details.includes('Name resolution')) return 'there is no host of that name';
  const plain = details.replace(/[^\x20-\x7e]/g, '?').replace(/[.]+$/, '');
  return plain.slice(0, 160) || 'the connection broke';
}
