// Records as bpf/lifecycle.bpf.c writes them, for tests: its structures once
// more, written down apart from those who read them.

import { DISCARD } from './ring.ts';

type Text = string | Buffer;

export interface Head {
  readonly at: bigint;
  readonly start: bigint;
  readonly leaderStart: bigint;
  readonly tid: number;
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  readonly egid: number;
  readonly comm: Text;
}

export interface Birth extends Head {
  readonly cloneFlags: bigint;
  readonly creatorStart: bigint;
  readonly parentStart: bigint;
  readonly creatorTid: number;
  readonly creatorPid: number;
  readonly nsTid: number;
  readonly nsPid: number;
  readonly pidNs: number;
}

export interface Exec extends Head {
  readonly inode: bigint;
  readonly ctimeSeconds: bigint;
  readonly ctimeNs: number;
  /** As the kernel keeps it. */
  readonly device: number;
  readonly mode: number;
  readonly links: number;
  readonly oldTid: number;
  readonly flags: number;
  readonly argvTotal: number;
  /** All with their NULs; paths with the last name first. */
  readonly argv: Text;
  readonly filename: Text;
  readonly interp: Text;
  readonly executable: Text;
  readonly cwd: Text;
  readonly cgroup: Text;
}

export interface Exit extends Head {
  readonly code: number;
  readonly groupCode: number;
  readonly leaderCode: number;
  readonly flags: number;
  readonly heir: number;
}

const HEAD: Head = {
  at: 5_000_000_000n,
  start: 4_000_000_000n,
  leaderStart: 3_000_000_000n,
  tid: 100,
  pid: 100,
  ppid: 50,
  uid: 1000,
  gid: 1001,
  euid: 2000,
  egid: 2001,
  comm: 'name',
};

/** Puts numbers and bytes one behind the other. */
class Bytes {
  readonly #parts: Buffer[] = [];

  u16(...values: readonly number[]): this {
    return this.#put(2, values, (part, value) => part.writeUInt16LE(value));
  }

  u32(...values: readonly number[]): this {
    return this.#put(4, values, (part, value) => part.writeUInt32LE(value));
  }

  s32(...values: readonly number[]): this {
    return this.#put(4, values, (part, value) => part.writeInt32LE(value));
  }

  u64(...values: readonly bigint[]): this {
    return this.#put(8, values, (part, value) => part.writeBigUInt64LE(value));
  }

  bytes(...values: readonly Text[]): this {
    for (const value of values) this.#parts.push(Buffer.from(value as string));
    return this;
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #put<Value>(bytes: number, values: readonly Value[], write: (part: Buffer, value: Value) => void): this {
    for (const value of values) {
      const part = Buffer.alloc(bytes);
      write(part, value);
      this.#parts.push(part);
    }
    return this;
  }
}

function head(type: number, fields: Partial<Head>): Bytes {
  const { at, start, leaderStart, tid, pid, ppid, uid, gid, euid, egid, comm } = { ...HEAD, ...fields };
  const name = Buffer.alloc(16);
  Buffer.from(comm as string).copy(name, 0, 0, 15);
  return new Bytes().u64(at, start, leaderStart).u32(tid, pid, ppid, uid, gid, euid, egid).u16(type, 1).bytes(name);
}

export function birth(fields: Partial<Birth> = {}): Buffer {
  const { cloneFlags = 0n, creatorStart = 2_000_000_000n, parentStart = 1_000_000_000n } = fields;
  const { creatorTid = 51, creatorPid = 50, nsTid = 7, nsPid = 6, pidNs = 4_026_531_836 } = fields;
  return head(1, fields)
    .u64(cloneFlags, creatorStart, parentStart)
    .u32(creatorTid, creatorPid, nsTid, nsPid, pidNs, 0)
    .done();
}

export function exec(fields: Partial<Exec> = {}): Buffer {
  const { inode = 12n, ctimeSeconds = 1_700_000_000n, ctimeNs = 5, device = (8 << 20) | 1, mode = 0o100755 } = fields;
  const {
    links = 1,
    oldTid = 100,
    flags = 0,
    argv = 'name\0',
    filename = '/bin/name\0',
    interp = '/bin/name\0',
  } = fields;
  const {
    executable = 'name\0bin\0',
    cwd = 'tmp\0',
    cgroup = '',
    argvTotal = Buffer.from(argv as string).length,
  } = fields;
  const texts = [argv, filename, interp, executable, cwd, cgroup];
  return head(2, fields)
    .u64(inode, ctimeSeconds, 1234n, 1n, 2n)
    .u32(ctimeNs, device, mode, links, oldTid, flags, argvTotal, 6, 4_026_531_836)
    .u16(...texts.map((text) => Buffer.from(text as string).length))
    .bytes(...texts)
    .done();
}

export function exit(fields: Partial<Exit> = {}): Buffer {
  const { code = 0, groupCode = 0, leaderCode = 0, flags = 0, heir = 0 } = fields;
  return head(3, fields).s32(code, groupCode, leaderCode).u32(flags, heir, 0).done();
}

export function rename(fields: Partial<Head> = {}): Buffer {
  return head(4, fields).done();
}

export function credentials(fields: Partial<Head> = {}): Buffer {
  return head(5, fields).done();
}

export function cgroupMove(path: Text, fields: Partial<Head> = {}): Buffer {
  const length = Buffer.from(path as string).length;
  return head(6, fields).u64(1n).u16(length, 0).u32(0).bytes(path).done();
}

/** As it lies in the ring: behind its header, padded to 8 bytes. */
export function inRing(record: Buffer, isDiscarded = false): Buffer {
  const header = new Bytes().u32(record.length + (isDiscarded ? DISCARD : 0), 0).done();
  return Buffer.concat([header, record, Buffer.alloc(-record.length & 7)]);
}
