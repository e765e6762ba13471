// A netlink socket to the kernel's connector. Node has none, so libc is called
// through koffi, which is prebuilt.
//
// Every call but `wait` returns at once: the socket is polled. A receive
// costs 0.65 us, with or without a message, so one for each message is cheap
// enough (recvmmsg saved a fifth), and a thread that waits in recv could not be
// ended: who has to be quick waits in poll, for some milliseconds at a time.

import { randomInt } from 'node:crypto';
import { DendroError, toError } from '@dendro/protocol';
import { CN_IDX_PROC, CN_VAL_PROC, NLMSG_DONE, WHAT, WHAT_AT } from './messages.ts';

/** What `receive` gives beside a length. */
export const RECEIVED = {
  nothing: 0,
  /** The kernel had to throw messages away: there was no room. */
  overrun: -1,
  /** Something that did not come from the kernel. */
  foreign: -2,
} as const;

const AF_NETLINK = 16;
const NETLINK_CONNECTOR = 11;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2_000_000;
const SOCK_NONBLOCK = 0o4_000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_ATTACH_FILTER = 26;
const POLLIN = 1;
const MSG_DONTWAIT = 0x40;
const EPERM = 1;
const EAGAIN = 11;
const ENOBUFS = 105;
const ECONNREFUSED = 111;

const PROC_CN_MCAST_LISTEN = 1;
const PROC_CN_MCAST_IGNORE = 2;

const ADDRESS_BYTES = 12;
const ADDRESS_PID_AT = 4;
/** A message has 76 bytes. */
const BUFFER_BYTES = 4096;
/** The kernel takes some 800 bytes for each message that waits: this is room for 80,000, and taken only while they wait. */
const ROOM_BYTES = 32 * 1024 * 1024;

/** One step of a socket filter (linux/filter.h): operation, where to go on when true and when not, number. */
type FilterStep = readonly [operation: number, ifTrue: number, ifNot: number, k: number];

const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
/** The kernel's filters load words big-endian, and the messages are not. */
const swapped = (value: number) => Buffer.from(Uint32Array.of(value).buffer).readUInt32BE();
const EXECS_ONLY: readonly FilterStep[] = [
  [LOAD_WORD, 0, 0, WHAT_AT],
  [JUMP_IF_EQUAL, 1, 0, swapped(WHAT.exec)],
  [JUMP_IF_EQUAL, 0, 1, swapped(WHAT.ack)],
  [RETURN, 0, 0, BUFFER_BYTES],
  [RETURN, 0, 0, 0],
];

function toFilterCode(steps: readonly FilterStep[]): Buffer {
  const code = Buffer.alloc(8 * steps.length);
  for (const [i, [operation, ifTrue, ifNot, k]] of steps.entries()) {
    code.writeUInt16LE(operation, 8 * i);
    code.writeUInt8(ifTrue, 8 * i + 2);
    code.writeUInt8(ifNot, 8 * i + 3);
    code.writeUInt32LE(k, 8 * i + 4);
  }
  return code;
}

export class ConnectorSocket {
  /** The last message received. */
  readonly bytes = Buffer.alloc(BUFFER_BYTES);
  readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, BUFFER_BYTES);
  /** May the kernel keep as many messages as we asked for? */
  readonly hasRoom: boolean;
  readonly #libc: Libc;
  readonly #sender = Buffer.alloc(ADDRESS_BYTES);
  readonly #senderLength = Buffer.alloc(4);
  #fd: number;

  /**
   * @param roomBytes for messages that wait to be received
   * @throws DendroError DENDRO_SOURCE_UNAVAILABLE
   */
  static async open(roomBytes = ROOM_BYTES): Promise<ConnectorSocket> {
    return new ConnectorSocket(await loadLibc(), roomBytes);
  }

  private constructor(libc: Libc, roomBytes: number) {
    this.#libc = libc;
    this.#fd = libc.socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
    if (this.#fd < 0) throw unavailable(`this kernel gives no connector socket (error ${libc.errno()})`);
    const address = Buffer.alloc(ADDRESS_BYTES);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(CN_IDX_PROC, 8); // the multicast group
    if (libc.bind(this.#fd, address, address.length) < 0) {
      const errno = libc.errno();
      this.close();
      throw refused(errno);
    }
    const room = Buffer.alloc(4);
    room.writeInt32LE(roomBytes);
    this.hasRoom = libc.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, room, room.length) === 0;
    if (!this.hasRoom) libc.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, room, room.length); // as much as one may have
  }

  /**
   * Asks the kernel to send.
   * @returns what the `ack` of the answer will be
   * @throws DendroError DENDRO_SOURCE_UNAVAILABLE
   */
  subscribe(): number {
    const seq = randomInt(2 ** 31);
    if (this.#send(PROC_CN_MCAST_LISTEN, seq)) return seq + 1;
    const errno = this.#libc.errno();
    throw errno === ECONNREFUSED
      ? unavailable('it is not to be reached from this network namespace; use that of the host (docker: --net=host)')
      : refused(errno);
  }

  /**
   * Receives one datagram. Hot: runs once per event.
   * @returns its length in `bytes`, or one of RECEIVED
   * @throws Error when the socket is broken
   */
  receive(): number {
    this.#senderLength.writeUInt32LE(ADDRESS_BYTES);
    const { bytes } = this;
    const length = this.#libc.recvfrom(this.#fd, bytes, BUFFER_BYTES, MSG_DONTWAIT, this.#sender, this.#senderLength);
    if (length > 0) return this.#sender.readUInt32LE(ADDRESS_PID_AT) === 0 ? length : RECEIVED.foreign;
    if (length === 0) return RECEIVED.foreign;
    const errno = this.#libc.errno();
    if (errno === EAGAIN) return RECEIVED.nothing;
    if (errno === ENOBUFS) return RECEIVED.overrun;
    throw new Error(`error ${errno} of recvfrom`);
  }

  /**
   * From now on the kernel passes on nothing but execs, and the answer to a subscription.
   * @returns false when it would not
   */
  keepExecsOnly(): boolean {
    return this.#libc.attachFilter(this.#fd, EXECS_ONLY) === 0;
  }

  /**
   * Sleeps until there is something to receive, or so long. The whole thread does: for one that has nothing else to do.
   * @returns false when there is nothing
   */
  wait(ms: number): boolean {
    const poll = Buffer.alloc(8);
    poll.writeInt32LE(this.#fd, 0);
    poll.writeInt16LE(POLLIN, 4);
    return this.#libc.poll(poll, 1, ms) !== 0;
  }

  /** Harmless when repeated. */
  close(): void {
    if (this.#fd < 0) return;
    this.#send(PROC_CN_MCAST_IGNORE, randomInt(2 ** 31)); // kernels before 6.6 do not notice that we leave
    this.#libc.close(this.#fd);
    this.#fd = -1;
  }

  #send(operation: number, seq: number): boolean {
    const message = Buffer.alloc(40);
    message.writeUInt32LE(message.length, 0);
    message.writeUInt16LE(NLMSG_DONE, 4);
    message.writeUInt32LE(CN_IDX_PROC, 16);
    message.writeUInt32LE(CN_VAL_PROC, 20);
    message.writeUInt32LE(seq, 24);
    message.writeUInt32LE(seq, 28);
    message.writeUInt16LE(4, 32);
    message.writeUInt32LE(operation, 36);
    return this.#libc.send(this.#fd, message, message.length, 0) === message.length;
  }
}

/** The sentence that a user gets when the process connector cannot be had. */
export function unavailable(why: string, cause?: unknown): DendroError {
  const message = `The process connector cannot be used: ${why}.`;
  return new DendroError('DENDRO_SOURCE_UNAVAILABLE', message, cause === undefined ? {} : { cause });
}

export function refused(errno: number): DendroError {
  return errno === EPERM
    ? unavailable('before Linux 6.6 it is only for root; start dendro with sudo')
    : unavailable(`the kernel refused with error ${errno}`);
}

interface Libc {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: Buffer, length: number) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: Buffer, length: number) => number;
  readonly send: (fd: number, bytes: Buffer, length: number, flags: number) => number;
  readonly recvfrom: (
    fd: number,
    bytes: Buffer,
    length: number,
    flags: number,
    sender: Buffer,
    senderLength: Buffer,
  ) => number;
  readonly attachFilter: (fd: number, program: readonly FilterStep[]) => number;
  readonly poll: (fds: Buffer, count: number, ms: number) => number;
  readonly close: (fd: number) => number;
  readonly errno: () => number;
}

async function loadLibc(): Promise<Libc> {
  try {
    const { default: koffi } = await import('koffi');
    const self = koffi.load(null); // libc is in this process already, whichever it is
    const program = koffi.struct({ steps: 'uint16_t', code: 'const void *' });
    const setFilter = self.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(program), 'uint32_t']);
    return {
      socket: self.func('int socket(int, int, int)'),
      bind: self.func('int bind(int, const void *, uint32_t)'),
      setsockopt: self.func('int setsockopt(int, int, int, const void *, uint32_t)'),
      send: self.func('intptr_t send(int, const void *, size_t, int)'),
      recvfrom: self.func('intptr_t recvfrom(int, void *, size_t, int, void *, void *)'),
      attachFilter: (fd, steps) => {
        const code = toFilterCode(steps);
        return setFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, { steps: steps.length, code }, koffi.sizeof(program));
      },
      poll: self.func('int poll(void *, unsigned long, int)'),
      close: self.func('int close(int)'),
      errno: () => koffi.errno(),
    };
  } catch (cause) {
    throw unavailable(`koffi, which reaches it, does not load here (${firstLine(toError(cause).message)})`, cause);
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
