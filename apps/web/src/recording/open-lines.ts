// Files that are no recordings: lines that are decoded as the server does it, also packed with gzip. What cannot be read here is
// refused with what can.

import { DendroError } from '@dendro/protocol';
import type { OpenFile } from './file-reading.ts';
import { LinesReading } from './lines-reading.ts';
import { piecesOf } from './pieces.ts';

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const RAW_PAGES = /^cpu\d{1,5}\.raw$/;
/** What a step gives is lost when damage is found in it. */
const STEP_BYTES = 4096;

/** @throws DendroError DENDRO_SOURCE_UNREADABLE */
export async function openLines(file: File): Promise<OpenFile> {
  const head = new Uint8Array(await file.slice(0, ZSTD.length).arrayBuffer());
  const begins = (magic: readonly number[]) => magic.every((byte, i) => head[i] === byte);
  if (begins(ZSTD)) {
    throw unreadable(
      'It is packed with zstd, which browsers cannot unpack: dendro --source tracee:FILE, audit:FILE or strace:FILE can.',
    );
  }
  if (RAW_PAGES.test(file.name)) {
    throw unreadable('Pages of a kernel trace are a folder of files: dendro --source replay:FOLDER shows them.');
  }
  return begins(GZIP) ? openPacked(file) : openPlain(file);
}

function openPlain(file: File): OpenFile {
  const reading = new LinesReading(file.name);
  return { reading, pieces: piecesOf(file.stream()), part: () => reading.readBytes / file.size };
}

function openPacked(file: File): OpenFile {
  const reading = new LinesReading(file.name);
  let taken = 0;
  const steps = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, output) {
      for (let at = 0; at < piece.length; at += STEP_BYTES) output.enqueue(piece.subarray(at, at + STEP_BYTES));
      taken += piece.length;
    },
  });
  const unpacked = file.stream().pipeThrough(steps).pipeThrough(new DecompressionStream('gzip'));
  return { reading, pieces: untilDamage(unpacked, reading), part: () => taken / file.size };
}

/** Also an archive behind the first is damage to a browser. */
async function* untilDamage(stream: ReadableStream<Uint8Array>, reading: LinesReading): AsyncGenerator<Uint8Array> {
  const pieces = piecesOf(stream);
  for (;;) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await pieces.next();
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown; // the file itself cannot be read
      reading.isDamaged = true;
      return;
    }
    if (next.done === true) return;
    yield next.value;
  }
}

function unreadable(message: string): DendroError {
  return new DendroError('DENDRO_SOURCE_UNREADABLE', message);
}
