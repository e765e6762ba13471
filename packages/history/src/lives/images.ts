// What a process was, one image after the other: what it is searched for by. A new one begins
// with an exec, with a rename, with another user or container.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { AUTHORITY, type EventNs, FIELDS } from '@dendro/protocol';
import type { Image } from '../codec/lives-encoder.ts';

/**
 * What lasts shorter is part of the next one: between a fork and its exec the child still is what its creator was. What an exec
 * began is never left out, however short it was.
 */
const MIN_IMAGE_NS = 100_000_000;
/** Of a process that changes all the time the first ones and the last one. */
const MAX_IMAGES = 16;
const ARGV = FIELDS.argv.id;
const BEGINS = (1 << ARGV) | (1 << FIELDS.comm.id) | (1 << FIELDS.uid.id) | (1 << FIELDS.container.id);

/** Of a process that is in the tree, the oldest first; at least one. Texts are those of the tree. */
export function imagesOf(tree: TemporalTree, process: TaskIndex): Image[] {
  const start = tree.startOf(process);
  const end = tree.exitOf(process);
  const begins: number[] = [start];
  const execs: number[] = [];
  tree.forEachEntrySince(process, start, (field, since, authority) => {
    if (authority === AUTHORITY.sighting || since > end || (BEGINS & (1 << field)) === 0) return;
    begins.push(since);
    if (field === ARGV) execs.push(since);
  });
  if (begins.length > 2) begins.sort((a, b) => a - b);
  const images: Image[] = [];
  for (let i = 0; i < begins.length; i++) {
    const since = begins[i] as EventNs;
    const next = begins[i + 1];
    if (next === since) continue;
    if (next !== undefined && next - since < MIN_IMAGE_NS && !execs.includes(since)) continue;
    const image = imageAt(tree, process, since, (next === undefined ? end : next - 1) as EventNs);
    if (images.length === MAX_IMAGES) images.pop();
    images.push(image);
  }
  return images;
}

function imageAt(tree: TemporalTree, process: TaskIndex, since: EventNs, at: EventNs): Image {
  return {
    since,
    comm: tree.textIndexAt(process, 'comm', at),
    executable: tree.textIndexAt(process, 'executable', at),
    argv: tree.textIndexAt(process, 'argv', at),
    uid: tree.numberAt(process, 'uid', at),
    container: tree.textIndexAt(process, 'container', at),
  };
}
