// The images of a block: what its processes were, as they are searched. Read apart from its rows, which
// nobody needs who looks for a text.

import { ByteReader, damaged, isDelta } from './bytes.ts';
import { BLOCK_VERSION, COLUMN_COUNT, COLUMNS } from './lives-encoder.ts';

const MAX_LIVES = 1 << 20;
const MAX_IMAGES = 1 << 24;

export class BlockImages {
  readonly count: number;
  /** Of the youngest one. */
  readonly newest: number;
  // image -> …; a text is its index in the texts of the block plus one, 0 "not known"
  readonly life: Uint32Array;
  readonly since: Float64Array;
  readonly comm: Uint32Array;
  readonly path: Uint32Array;
  readonly argv: Uint32Array;
  /** NaN where not known. */
  readonly uid: Float64Array;
  readonly container: Uint32Array;

  /** @throws DendroError DENDRO_HISTORY_DAMAGED */
  constructor(rows: Uint8Array) {
    const whole = new ByteReader(rows);
    if (whole.uint() !== BLOCK_VERSION) throw damaged();
    const lives = whole.uint();
    if (lives > MAX_LIVES) throw damaged();
    const columns = Array.from({ length: COLUMN_COUNT }, () => new ByteReader(whole.block()));
    const column = (of: keyof typeof COLUMNS) => columns[COLUMNS[of]] as ByteReader;
    const [counts, starts] = [column('counts'), column('start')];
    const firsts = new Uint32Array(lives + 1);
    const began = new Float64Array(lives);
    let [images, start] = [0, 0];
    for (let life = 0; life < lives; life++) {
      const at = starts.time(start);
      if (isDelta(at)) start = at;
      began[life] = at;
      counts.uint(); // entries
      images += counts.uint();
      if (images > MAX_IMAGES) throw damaged();
      firsts[life + 1] = images;
      counts.uint(); // further births
      counts.uint(); // ends
    }
    this.count = images;
    this.life = new Uint32Array(images);
    this.since = new Float64Array(images);
    this.comm = new Uint32Array(images);
    this.path = new Uint32Array(images);
    this.argv = new Uint32Array(images);
    this.uid = new Float64Array(images);
    this.container = new Uint32Array(images);
    const [sinces, comms, paths] = [column('imageSince'), column('imageComm'), column('imagePath')];
    const [argvs, users, containers] = [column('imageArgv'), column('imageUser'), column('imageContainer')];
    let [user, newest] = [0, Number.NEGATIVE_INFINITY];
    for (let life = 0; life < lives; life++) {
      const next = firsts[life + 1] as number;
      for (let image = firsts[life] as number; image < next; image++) {
        this.life[image] = life;
        const since = sinces.time(began[life] as number);
        this.since[image] = since;
        if (since > newest) newest = since;
        this.comm[image] = comms.uint();
        this.path[image] = paths.uint();
        this.argv[image] = argvs.uint();
        const uid = users.delta(user);
        if (isDelta(uid)) user = uid;
        this.uid[image] = uid;
        this.container[image] = containers.uint();
      }
    }
    this.newest = newest;
  }

  get byteLength(): number {
    return 36 * this.count + 64;
  }
}
