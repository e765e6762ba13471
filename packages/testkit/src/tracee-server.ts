// Tracee's gRPC service for tests: a real server that streams recorded lines.

import { fileURLToPath } from 'node:url';
import {
  type GrpcObject,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('../../sources/src/tracee/tracee.proto', import.meta.url));

type Json = Record<string, unknown>;
type Call = ServerWritableStream<unknown, unknown>;

export class TraceeServer {
  readonly #server = new Server();
  /** Where clients find it. */
  readonly address: string;
  readonly calls: Call[] = [];

  private constructor(address: string) {
    this.address = address;
    const tracee = loadPackageDefinition(loadSync(PROTO, { keepCase: true, longs: String }))['tracee'] as GrpcObject;
    const { service } = (tracee['v1beta1'] as GrpcObject)['TraceeService'] as ServiceClientConstructor;
    this.#server.addService(service, { StreamEvents: (call: Call) => void this.calls.push(call) });
  }

  /** @param address `unix:PATH`, or `127.0.0.1:PORT`, where port 0 is any that is free */
  static async start(address: string): Promise<TraceeServer> {
    const server = new TraceeServer(address);
    const port = await new Promise<number>((resolve, reject) => {
      server.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return address.startsWith('unix:') ? server : Object.assign(server, { address: `127.0.0.1:${port}` });
  }

  /** Sends what the lines, of the dialect v1beta1, say, to the newest client. */
  send(lines: readonly string[]): void {
    for (const line of lines) this.calls.at(-1)?.write({ event: messageOf(line) });
  }

  /** Breaks all connections. */
  stop(): void {
    this.#server.forceShutdown();
  }
}

/** As Tracee fills its messages: numbers that may be missing are messages of their own, times are seconds and nanoseconds. */
export function messageOf(line: string): Json {
  const event = JSON.parse(line) as Json;
  const { process, container } = (event['workload'] ?? {}) as { process?: Json; container?: Json };
  return {
    ...event,
    timestamp: timestampOf(event['timestamp']),
    workload: {
      ...(process === undefined ? {} : { process: processOf(process) }),
      ...(container === undefined ? {} : { container }),
    },
    data: ((event['data'] ?? []) as Json[]).map((value) =>
      Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null)),
    ),
  };
}

function processOf(process: Json): Json {
  const { host_pid, pid, real_user, thread, ancestors } = process as { thread?: Json; real_user?: Json } & Json;
  return {
    host_pid: wrapped(host_pid),
    pid: wrapped(pid),
    ...(real_user === undefined ? {} : { real_user: { id: wrapped(real_user['id']) } }),
    ...(thread === undefined
      ? {}
      : {
          thread: {
            ...thread,
            start_time: timestampOf(thread['start_time']),
            host_tid: wrapped(thread['host_tid']),
            tid: wrapped(thread['tid']),
          },
        }),
    ancestors: ((ancestors ?? []) as Json[]).map(processOf),
  };
}

function wrapped(value: unknown): Json | undefined {
  return value === undefined ? undefined : { value };
}

function timestampOf(text: unknown): Json | undefined {
  if (typeof text !== 'string') return undefined;
  const [, middle = '', fraction = ''] = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(text) ?? [];
  return { seconds: String(Date.parse(`${middle}Z`) / 1000), nanos: Number(fraction.padEnd(9, '0')) };
}
