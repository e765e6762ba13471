// The live socket: what server and browser say to each other.
//
// Control messages are JSON text frames. Facts are binary frames: a header of
// 32 bytes, then a batch exactly as batch-codec.ts encodes it.
//
//   0  u8   frame kind: 1 batch, 2 snapshot chunk
//   1  u8   1 on the last chunk of a snapshot
//   8  f64  from version (0 in a snapshot)
//  16  f64  to version
//  24  f64  event time now: of a live host its clock, of a recording its newest event (EventNs)
//  32       batch
//
// A snapshot is all chunks up to the one marked last; they build one version.

import { DendroError } from './errors.ts';
import { type EventNs, toEventNs, toVersion, type Version } from './ids.ts';

export const PROTOCOL_VERSION = 2;

/** What a source can see and what it has lost, for people. */
export interface SourceStatus {
  readonly name: string;
  readonly state: 'starting' | 'running' | 'ended' | 'failed';
  /** One sentence on where the events come from. */
  readonly detail: string;
  /** What this source cannot see, and notices such as "tracefs was mounted"; a sentence each. */
  readonly notices: readonly string[];
  /** Events read from the feed so far. */
  readonly events: number;
  /** Events the kernel or the feed says were lost. */
  readonly lost: number;
  /** Input dropped, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Work done of work known, for long reading (a file, a scan); undefined when not counting. */
  readonly progress?: { readonly done: number; readonly total: number } | undefined;
}

export interface HostInfo {
  readonly id: string;
  /** Host name for people. */
  readonly name: string;
  /** Epoch nanoseconds of EventNs 0, in decimal. */
  readonly baseEpochNs: string;
  /** Is event time running on (a live host) or does it end where the recording ends? */
  readonly isLive: boolean;
  /** User names by uid, as this server's /etc/passwd has them; empty for a foreign host. */
  readonly users: Readonly<Record<string, string>>;
  /** Epoch nanoseconds, in decimal: from then on the server can answer about any instant. Undefined without a history. */
  readonly oldestEpochNs?: string | undefined;
  /** Pids of the processes of Dendro that run on this host; none where nothing is live. */
  readonly ownPids?: readonly number[] | undefined;
}

/** One of several hosts, as a list of them says it. */
export interface HostSummary {
  readonly id: string;
  readonly name: string;
  readonly isLive: boolean;
  /** Name and state of what its events come from. */
  readonly source: string;
  readonly state: SourceStatus['state'];
}

/** Numbers of the tree and its feed, once a second. */
export interface TreeStats {
  readonly processes: number;
  readonly threads: number;
  readonly tasks: number;
  readonly eventsPerSecond: number;
  readonly evicted: number;
  readonly gaps: number;
  /** Parents and creators refused because they would make a task its own ancestor. */
  readonly ringsRefused: number;
  /** Questions to /proc that were dropped because too many waited. */
  readonly enrichmentsDropped: number;
  /** Resident set of the server, bytes. */
  readonly memoryBytes: number;
}

export type ServerMessage =
  | { readonly type: 'hello'; readonly protocol: number; readonly host: HostInfo; readonly version: Version }
  | { readonly type: 'stats'; readonly now: EventNs; readonly source: SourceStatus; readonly stats: TreeStats }
  /** All hosts, where there are several: after hello, and when one appears or changes. */
  | { readonly type: 'hosts'; readonly hosts: readonly HostSummary[] }
  | { readonly type: 'resync'; readonly reason: ResyncReason }
  | { readonly type: 'error'; readonly code: string; readonly message: string };

/** Why the next thing on the socket is a whole snapshot. */
export type ResyncReason = 'first' | 'version-too-old' | 'version-unknown' | 'outbox-full' | 'resumed';

export type ClientMessage =
  | { readonly type: 'subscribe'; readonly version?: Version | undefined }
  | { readonly type: 'pause' }
  | { readonly type: 'resume'; readonly version?: Version | undefined };

export const FRAME_HEADER_BYTES = 32;
const FRAME_KINDS = { 1: 'batch', 2: 'snapshot' } as const;

export interface Frame {
  readonly kind: 'batch' | 'snapshot';
  readonly isLast: boolean;
  readonly from: Version;
  readonly to: Version;
  readonly now: EventNs;
  /** A view on the frame, not a copy. */
  readonly batch: Uint8Array;
}

export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + frame.batch.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = frame.kind === 'batch' ? 1 : 2;
  bytes[1] = frame.isLast ? 1 : 0;
  view.setFloat64(8, frame.from, true);
  view.setFloat64(16, frame.to, true);
  view.setFloat64(24, frame.now, true);
  bytes.set(frame.batch, FRAME_HEADER_BYTES);
  return bytes;
}

/** @throws DendroError DENDRO_BATCH_MALFORMED */
export function decodeFrame(bytes: Uint8Array): Frame {
  const kind = FRAME_KINDS[bytes[0] as 1 | 2];
  if (bytes.length < FRAME_HEADER_BYTES || kind === undefined) {
    throw new DendroError('DENDRO_BATCH_MALFORMED', 'A frame is shorter than its header or of unknown kind.');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return {
      kind,
      isLast: bytes[1] === 1,
      from: toVersion(view.getFloat64(8, true)),
      to: toVersion(view.getFloat64(16, true)),
      now: toEventNs(view.getFloat64(24, true)),
      batch: bytes.subarray(FRAME_HEADER_BYTES),
    };
  } catch (cause) {
    throw new DendroError('DENDRO_BATCH_MALFORMED', 'A frame header holds impossible numbers.', { cause });
  }
}

/**
 * Parses what a client sent.
 * @throws DendroError DENDRO_MESSAGE_INVALID
 */
export function parseClientMessage(text: string): ClientMessage {
  const message = parseObject(text);
  switch (message['type']) {
    case 'subscribe':
    case 'resume':
      return { type: message['type'], version: parseVersion(message['version']) };
    case 'pause':
      return { type: 'pause' };
    default:
      throw new DendroError('DENDRO_MESSAGE_INVALID', 'The type of a message is subscribe, pause or resume.');
  }
}

/**
 * Parses what the server sent. The server is trusted as to content; this refuses what is not a message at all.
 * @throws DendroError DENDRO_MESSAGE_INVALID
 */
export function parseServerMessage(text: string): ServerMessage {
  const message = parseObject(text);
  switch (message['type']) {
    case 'hello':
    case 'stats':
    case 'hosts':
    case 'resync':
    case 'error':
      return message as unknown as ServerMessage;
    default:
      throw new DendroError(
        'DENDRO_MESSAGE_INVALID',
        'The server said something that this page does not know: reload it.',
      );
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DendroError('DENDRO_MESSAGE_INVALID', 'A message is one JSON object in a text frame.', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DendroError('DENDRO_MESSAGE_INVALID', 'A message is one JSON object in a text frame.');
  }
  return value as Record<string, unknown>;
}

function parseVersion(value: unknown): Version | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new DendroError('DENDRO_MESSAGE_INVALID', 'A version is a non-negative integer.');
  }
  return value as Version;
}
