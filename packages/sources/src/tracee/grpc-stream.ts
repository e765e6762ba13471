// One connection to Tracee's gRPC service, and the stream of events on it.
//
// What has come and has not been taken yet is bounded by HTTP/2: nothing more is asked
// for before the last event was decoded, and Tracee then buffers or drops, as it was told to.

import { fileURLToPath } from 'node:url';
import { toError } from '@dendro/protocol';
import { type ClientReadableStream, credentials, type GrpcObject, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Longer than any event that Tracee sends. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Servers in Go end connections on which a client asks more often than every five minutes whether they live. */
const KEEPALIVE_MS = 330_000;

type Stream = ClientReadableStream<{ readonly event?: unknown }>;

interface Client {
  StreamEvents(request: { readonly policies: readonly string[] }): Stream;
  waitForReady(deadline: Date, done: (error?: Error) => void): void;
  close(): void;
}
type ClientClass = new (
  address: string,
  credentials: unknown,
  options: Readonly<Record<string, string | number>>,
) => Client;

export interface StreamListener {
  connected(): void;
  event(event: unknown): void;
  /** Comes once. @param why undefined when the server has closed the stream in peace */
  ended(why: GrpcFailure | undefined): void;
}

export interface GrpcFailure {
  readonly code: number;
  readonly details: string;
}

let clientClass: ClientClass | undefined;

function traceeClient(): ClientClass {
  clientClass ??= load();
  return clientClass;
}

function load(): ClientClass {
  const definition = loadSync(fileURLToPath(new URL('./tracee.proto', import.meta.url)), {
    keepCase: true,
    longs: String,
    defaults: false,
  });
  const tracee = loadPackageDefinition(definition)['tracee'] as GrpcObject;
  return (tracee['v1beta1'] as GrpcObject)['TraceeService'] as unknown as ClientClass;
}

export class GrpcStream {
  readonly #client: Client;
  readonly #stream: Stream;

  /** @param policies of Tracee, whose events are asked for; all events when there is none */
  constructor(address: string, policies: readonly string[], listener: StreamListener, connectTimeoutMs: number) {
    this.#client = new (traceeClient())(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      // The pauses between two attempts are ours, and a proxy for the web is none for this.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
    });
    // No mask of fields: Tracee applies it to an event that its other outputs may share.
    this.#stream = this.#client.StreamEvents({ policies });
    let isOver = false;
    const end = (why?: GrpcFailure): void => {
      if (isOver) return;
      isOver = true;
      this.close();
      listener.ended(why);
    };
    this.#client.waitForReady(new Date(Date.now() + connectTimeoutMs), (error) => {
      if (isOver) return;
      if (error === undefined || error === null) listener.connected();
      else end({ code: status.DEADLINE_EXCEEDED, details: 'nobody answers' });
    });
    this.#stream.on('data', (response: { readonly event?: unknown }) => {
      if (!isOver) listener.event(response.event);
    });
    this.#stream.on('error', (thrown: unknown) => end(failureOf(thrown)));
    this.#stream.on('end', () => end());
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}

function failureOf(thrown: unknown): GrpcFailure {
  const { code, details } = thrown as { readonly code?: unknown; readonly details?: unknown };
  return {
    code: typeof code === 'number' ? code : status.UNKNOWN,
    details: typeof details === 'string' ? details : toError(thrown).message,
  };
}
