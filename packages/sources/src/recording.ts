// A recording of the kernel's task events: a folder with
//
//   cpuN.raw     pages of per_cpu/cpuN/trace_pipe_raw, one after the other
//   formats/     header_page and SYSTEM:EVENT.format as the recording kernel had them
//
// recorded with the trace clock `boot`. The first record of a stream may be a
// marker `wall=SECONDS`, which says what time that was.

import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DendroError, type EventNs, toError } from '@dendro/protocol';
import { HostClock } from './host-clock.ts';
import { PageBuffer } from './tracefs/cpu-stream.ts';
import { RecordDecoder } from './tracefs/decode.ts';
import {
  checkRecordHeader,
  type EventFormat,
  type PageLayout,
  parseEventFormat,
  parsePageLayout,
} from './tracefs/format.ts';
import { PageDecoder } from './tracefs/page.ts';

const RAW_FILE = /^cpu\d{1,5}\.raw$/;
const MAX_FORMAT_BYTES = 1 << 20;
const MARKER = /wall=(\d{1,10})\.(\d{1,9})/;
/** Enough for the fields before a marker's text, and the text. */
const MARKER_BYTES = 64;

export interface Recording {
  readonly layout: PageLayout;
  readonly records: RecordDecoder;
  /** EventNs 0 is the marker, or the first page where there is no marker. */
  readonly clock: HostClock;
  /** Time of the oldest page: nothing in the recording is earlier. */
  readonly start: EventNs;
  /** Is the wall time from a marker, or only from the date of the files? */
  readonly hasWallTime: boolean;
  readonly cpus: readonly RawFile[];
}

/**
 * Opens a recording. Whoever calls closes the files.
 * @throws DendroError DENDRO_SOURCE_UNREADABLE
 */
export function openRecording(folder: string): Recording {
  const names = listRawFiles(folder);
  const cpus: RawFile[] = [];
  try {
    const formats = readFormats(join(folder, 'formats'));
    for (const name of names) cpus.push(new RawFile(join(folder, name), formats.layout.sizeBytes));
    return openStreams(formats, cpus);
  } catch (thrown) {
    for (const cpu of cpus) cpu.close();
    throw unreadable(folder, toError(thrown));
  }
}

/** One CPU's pages. */
export class RawFile {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly #pageBytes: number;
  #fd: number | undefined;

  constructor(path: string, pageBytes: number) {
    // Without blocking: a pipe of that name must not hang the start.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    this.#fd = fd;
    this.#pageBytes = pageBytes;
    this.sizeBytes = stats.size;
    this.modifiedMs = stats.mtimeMs;
    if (stats.isFile()) return;
    this.close();
    throw new Error(`${path} is not a file`);
  }

  get pageCount(): number {
    return Math.ceil(this.sizeBytes / this.#pageBytes);
  }

  /** @returns how many bytes of the page there are: fewer than a page where the file was cut off */
  readPage(index: number, page: PageBuffer): number {
    if (this.#fd === undefined) return 0;
    return readSync(this.#fd, page.bytes, 0, this.#pageBytes, index * this.#pageBytes);
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function listRawFiles(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (thrown) {
    throw unreadable(folder, toError(thrown));
  }
  const raw = names.filter((name) => RAW_FILE.test(name));
  if (raw.length === 0) throw unreadable(folder, new Error('it holds no file cpu0.raw'));
  return raw;
}

interface Formats {
  readonly layout: PageLayout;
  readonly events: readonly EventFormat[];
}

function readFormats(folder: string): Formats {
  const names = readdirSync(folder);
  const read = (name: string): string => {
    const path = join(folder, name);
    const stats = statSync(path);
    if (!stats.isFile() || stats.size > MAX_FORMAT_BYTES) throw new Error(`${path} is not a format file`);
    return readFileSync(path, 'latin1');
  };
  if (names.includes('header_event')) checkRecordHeader(read('header_event'));
  return {
    layout: parsePageLayout(read('header_page')),
    events: names.filter((name) => name.endsWith('.format')).map((name) => parseEventFormat(read(name))),
  };
}

function openStreams({ layout, events }: Formats, cpus: readonly RawFile[]): Recording {
  const ends = findEnds(layout, cpus);
  const marker = findMarker(layout, new RecordDecoder(events), cpus, ends.firstBootNs);
  if (marker === undefined) {
    const modifiedNs = BigInt(Math.round(Math.max(...cpus.map((cpu) => cpu.modifiedMs)))) * 1_000_000n;
    const epochNs = modifiedNs - (ends.lastBootNs - ends.firstBootNs);
    const clock = new HostClock(epochNs, ends.firstBootNs);
    return { layout, records: new RecordDecoder(events), clock, start: 0 as EventNs, hasWallTime: false, cpus };
  }
  // A marker is not in `formats`; with its id it is a known event that says nothing of tasks.
  const print: EventFormat = { name: 'print', id: marker.eventId, fields: new Map() };
  const isKnown = events.some((event) => event.id === marker.eventId);
  return {
    layout,
    records: new RecordDecoder(isKnown ? events : [...events, print]),
    clock: new HostClock(marker.epochNs, marker.bootNs),
    start: Number(ends.firstBootNs - marker.bootNs) as EventNs,
    hasWallTime: true,
    cpus,
  };
}

/** Boot times of the oldest and of the newest page. */
function findEnds(layout: PageLayout, cpus: readonly RawFile[]): { firstBootNs: bigint; lastBootNs: bigint } {
  const page = new PageBuffer(layout.sizeBytes);
  const times: bigint[] = [];
  for (const cpu of cpus) {
    const wholePages = Math.floor(cpu.sizeBytes / layout.sizeBytes);
    for (const index of new Set([0, wholePages - 1])) {
      if (index < 0 || cpu.readPage(index, page) < layout.dataOffset) continue;
      times.push(page.view.getBigUint64(layout.timestampOffset, true));
    }
  }
  times.sort((a, b) => (a < b ? -1 : 1));
  return { firstBootNs: times.at(0) ?? 0n, lastBootNs: times.at(-1) ?? 0n };
}

interface Marker {
  readonly eventId: number;
  readonly bootNs: bigint;
  readonly epochNs: bigint;
}

/** The marker is the first record of a stream. Where several streams have one, they agree to some microseconds. */
function findMarker(
  layout: PageLayout,
  records: RecordDecoder,
  cpus: readonly RawFile[],
  firstBootNs: bigint,
): Marker | undefined {
  const page = new PageBuffer(layout.sizeBytes);
  const pages = new PageDecoder(layout, new HostClock(0n, firstBootNs));
  for (const cpu of cpus) {
    let marker: Marker | undefined;
    let isFirst = true;
    pages.decode(page.view, cpu.readPage(0, page), {
      page: () => {},
      record(start, end, at) {
        if (!isFirst) return;
        isFirst = false;
        if (records.decode(page.view, page.bytes, start, end, at) !== undefined) return;
        const text = page.bytes.toString('latin1', start, Math.min(end, start + MARKER_BYTES));
        const [, seconds, fraction] = MARKER.exec(text) ?? [];
        if (seconds === undefined || fraction === undefined) return;
        const epochNs = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
        marker = { eventId: records.eventId(page.view, start), bootNs: firstBootNs + BigInt(at), epochNs };
      },
    });
    if (marker !== undefined) return marker;
  }
  return undefined;
}

function unreadable(folder: string, cause: Error): DendroError {
  const why = 'code' in cause ? (WHY[String(cause.code)] ?? cause.message) : cause.message;
  return new DendroError(
    'DENDRO_SOURCE_UNREADABLE',
    `The recording ${folder} cannot be read: ${why}; give a folder with cpu0.raw and so on, and a folder formats.`,
    { cause },
  );
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'it, or its formats or header_page, is not there',
  ENOTDIR: 'it is not a folder',
  EACCES: 'this user may not read it',
};
