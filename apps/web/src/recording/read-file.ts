// Reads a file that somebody has opened in the page: a recording, or lines that are decoded here. Nothing of it goes to the
// server. It is read in turns, between which the page can be drawn and used.

import { RECORDING_MAGIC } from '@dendro/protocol';
import type { OpenedFile, OpenFile } from './file-reading.ts';
import { piecesOf } from './pieces.ts';
import { RecordingReading } from './recording-reading.ts';

/** Between two looks at the clock. */
const TURN_MS = 12;

/**
 * @param onProgress part of the file that has been read, 0 to 1
 * @param isWanted asked again and again: false gives up
 * @returns undefined when it was given up
 * @throws DendroError DENDRO_SOURCE_UNREADABLE when there is nothing in it; what is cut off is read as far as it goes
 */
export async function readFile(
  file: File,
  onProgress: (part: number) => void,
  isWanted: () => boolean,
): Promise<OpenedFile | undefined> {
  const { reading, pieces, part } = await open(file);
  let turnEnds = performance.now() + TURN_MS;
  for await (const piece of pieces) {
    reading.push(piece);
    while (await reading.step()) {
      if (performance.now() < turnEnds) continue;
      onProgress(part());
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (!isWanted()) return undefined;
      turnEnds = performance.now() + TURN_MS;
    }
  }
  return isWanted() ? reading.finish() : undefined;
}

async function open(file: File): Promise<OpenFile> {
  const head = new Uint8Array(await file.slice(0, RECORDING_MAGIC.length).arrayBuffer());
  // Decoders are not part of what whoever opens a recording loads.
  if (!head.every((byte, i) => byte === RECORDING_MAGIC[i])) return (await import('./open-lines.ts')).openLines(file);
  const reading = new RecordingReading(file.name);
  const part = () => (file.size === 0 ? 1 : reading.readBytes / file.size);
  return { reading, pieces: piecesOf(file.stream()), part };
}
