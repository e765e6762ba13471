// Takes gzip and zstd off a feed, in little memory, and passes everything else
// on as it is. What a feed is packed with is seen by its first bytes, not by
// its name.
//
// One member may follow another of its kind, as in files that were put together
// with cat. What was readable before an archive breaks off or is damaged has
// been given by then, but for the last few kilobytes; `damage` says that there
// would have been more.

import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';

export type Packing = 'gzip' | 'zstd';

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
/** A zstd frame that holds none of the data, as pzstd writes; the low half of its first byte is free. */
const ZSTD_SKIPPED = [0x50, 0x2a, 0x4d, 0x18];
/** So many bytes say what a feed is packed with. */
export const MAX_MAGIC_BYTES = 4;
/** The output of the step in which damage is found is lost: so the steps are small. */
const STEP_BYTES = 4096;
/** 128 MB, more than any level of zstd takes unless it is told to. */
const MAX_WINDOW_LOG = 27;

type State = 'undecided' | 'plain' | 'packed' | 'between' | 'over';

export class Unpacker {
  readonly #output: (bytes: Buffer) => void;
  #state: State = 'undecided';
  #packing: Packing | undefined;
  #member: Member | undefined;
  #held: Buffer = Buffer.alloc(0);
  #damage: string | undefined;

  /** @param output gets the bytes, at once and in order */
  constructor(output: (bytes: Buffer) => void) {
    this.#output = output;
  }

  /** What the feed began with; undefined for one that is not packed. */
  get packing(): Packing | undefined {
    return this.#packing;
  }

  /** Why there is less than there should be, as a sentence. After that nothing is taken any more. */
  get damage(): string | undefined {
    return this.#damage;
  }

  /** Resolves when all of it has been given out. */
  async push(chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0 && this.#state !== 'over') {
      if (this.#state === 'plain') {
        this.#output(rest);
        return;
      }
      if (this.#state === 'packed') rest = await this.#unpack(rest);
      else {
        const bytes = this.#held.length === 0 ? rest : Buffer.concat([this.#held, rest]);
        this.#held = Buffer.alloc(0);
        rest = this.#decide(bytes, false);
      }
    }
  }

  /** The feed is over. */
  async end(): Promise<void> {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    if (held.length > 0) this.#decide(held, true);
    if (this.#state === 'plain' && held.length > 0) this.#output(held);
    if (this.#state === 'packed' && (await this.#member?.end()) === 'damaged') {
      this.#break(`The ${this.#member?.packing} archive ends too early: what comes before that is shown.`);
    }
    this.close();
  }

  close(): void {
    this.#member?.close();
    this.#state = 'over';
  }

  /** @returns what is left to be taken */
  #decide(bytes: Buffer, isAll: boolean): Buffer {
    const from = this.#state === 'between' ? firstNonZero(bytes) : 0; // tapes and block devices pad with zeros
    const begun = bytes.subarray(from);
    if (begun.length === 0) return begun;
    const packing = packingOf(begun);
    if (packing !== undefined) {
      this.#packing ??= packing;
      this.#member = new Member(packing, this.#output);
      this.#state = 'packed';
    } else if (!isAll && begun.length < MAX_MAGIC_BYTES && mayBePacked(begun)) {
      this.#held = Buffer.from(begun); // too little to tell
      return begun.subarray(begun.length);
    } else if (this.#state === 'undecided') this.#state = 'plain';
    else this.#break('Behind the end of the archive is something else, which was left out.');
    return begun;
  }

  async #unpack(bytes: Buffer): Promise<Buffer> {
    const member = this.#member;
    if (member === undefined) return bytes;
    for (let from = 0; from < bytes.length; from += STEP_BYTES) {
      const step = bytes.subarray(from, from + STEP_BYTES);
      const { outcome, taken } = await member.push(step);
      if (outcome === 'taken') continue;
      member.close();
      if (outcome === 'ended') {
        this.#state = 'between';
        return bytes.subarray(from + taken);
      }
      this.#break(`The ${member.packing} archive is damaged (${member.why}): what comes before that is shown.`);
      break;
    }
    return bytes.subarray(bytes.length);
  }

  #break(why: string): void {
    this.#damage ??= why;
    this.#state = 'over';
  }
}

type Outcome = 'taken' | 'ended' | 'damaged';

/** One zlib stream. It may go over into a next member by itself, or end before it has taken all. */
class Member {
  readonly packing: Packing;
  readonly #zlib: Gunzip | ZstdDecompress;
  #over: Outcome | undefined;
  #why = '';
  #wake: (() => void) | undefined;

  constructor(packing: Packing, output: (bytes: Buffer) => void) {
    this.packing = packing;
    this.#zlib =
      packing === 'gzip'
        ? createGunzip()
        : createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG } });
    this.#zlib.on('data', output);
    this.#zlib.on('error', (error) => this.#finish('damaged', error.message));
    this.#zlib.on('end', () => this.#finish('ended'));
    this.#zlib.on('close', () => this.#finish('ended'));
  }

  get why(): string {
    return this.#why;
  }

  async push(bytes: Buffer): Promise<{ outcome: Outcome; taken: number }> {
    const before = this.#zlib.bytesWritten;
    await this.#doing((done) => this.#zlib.write(bytes, done));
    return { outcome: this.#over ?? 'taken', taken: this.#zlib.bytesWritten - before };
  }

  async end(): Promise<Outcome> {
    await this.#doing((done) => {
      this.#zlib.once('end', done);
      this.#zlib.end();
    });
    return this.#over ?? 'ended';
  }

  close(): void {
    this.#zlib.destroy();
  }

  // Of a stream that has ended or failed no callback comes.
  async #doing(start: (done: () => void) => void): Promise<void> {
    if (this.#over !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      start(resolve);
    });
  }

  #finish(outcome: Outcome, why = ''): void {
    if (this.#over === undefined) {
      this.#over = outcome;
      this.#why = why;
    }
    this.#wake?.();
  }
}

/** What a feed that begins like this is packed with. */
export function packingOf(bytes: Buffer): Packing | undefined {
  if (bytes.length >= GZIP.length && beginsAs(bytes, GZIP)) return 'gzip';
  if (bytes.length < MAX_MAGIC_BYTES) return undefined;
  return beginsAs(bytes, ZSTD) || beginsAs(withoutFreeBits(bytes), ZSTD_SKIPPED) ? 'zstd' : undefined;
}

function mayBePacked(bytes: Buffer): boolean {
  return beginsAs(bytes, GZIP) || beginsAs(bytes, ZSTD) || beginsAs(withoutFreeBits(bytes), ZSTD_SKIPPED);
}

/** As far as there are bytes. */
function beginsAs(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, i) => i >= bytes.length || bytes[i] === byte);
}

function withoutFreeBits(bytes: Buffer): Buffer {
  const head = Buffer.from(bytes.subarray(0, MAX_MAGIC_BYTES));
  if (head.length > 0) head[0] = (head[0] ?? 0) & 0xf0;
  return head;
}

function firstNonZero(bytes: Buffer): number {
  const at = bytes.findIndex((byte) => byte !== 0);
  return at < 0 ? bytes.length : at;
}
