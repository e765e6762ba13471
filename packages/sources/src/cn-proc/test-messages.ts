// For tests: messages as bytes, and what is read out of bytes.

import type { EventNs } from '@dendro/protocol';
import { type ProcRecord, readMessages } from './messages.ts';

/** One message as the kernel writes it. */
export function message(what: number, data: readonly number[], { cpu = 1, seq = 7, ns = 5n, ack = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(76);
  bytes.writeUInt32LE(76, 0);
  bytes.writeUInt16LE(3, 4);
  bytes.writeUInt32LE(1, 16);
  bytes.writeUInt32LE(1, 20);
  bytes.writeUInt32LE(seq, 24);
  bytes.writeUInt32LE(ack, 28);
  bytes.writeUInt16LE(40, 32);
  bytes.writeUInt32LE(what, 36);
  bytes.writeUInt32LE(cpu, 40);
  bytes.writeBigUInt64LE(ns, 44);
  for (const [index, value] of data.entries()) bytes.writeUInt32LE(value >>> 0, 52 + 4 * index);
  return bytes;
}

export function read(bytes: Buffer, length = bytes.length): { records: ProcRecord[]; problems: string[] } {
  const records: ProcRecord[] = [];
  const problems: string[] = [];
  readMessages(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes, length, {
    fromMonotonicNs: (high, low) => (high * 2 ** 32 + low) as EventNs,
    record: (record) => records.push(record),
    reject: (problem) => problems.push(problem),
  });
  return { records, problems };
}
