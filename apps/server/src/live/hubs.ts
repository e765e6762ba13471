// The hubs of all hosts: one appears with each host, and all sockets are told
// which hosts there are.

import type { HostSummary } from '@dendro/protocol';
import type { HostClient } from '../tree-worker/host-client.ts';
import type { TreeClient } from '../tree-worker/tree-client.ts';
import { LiveHub } from './hub.ts';
import type { Session, Socket } from './session.ts';

/** For the batches of all hosts together, and of one at most. */
const ALL_RING_BYTES = 64 * 1024 * 1024;
const RING_BYTES = 16 * 1024 * 1024;
const TELL_MS = 100;

export class LiveHubs {
  readonly #client: TreeClient;
  readonly #hubs = new Map<HostClient, LiveHub>();
  readonly #unlisten: (() => void)[] = [];
  #told = '';
  #telling: NodeJS.Timeout | undefined;

  constructor(client: TreeClient) {
    this.#client = client;
    this.#unlisten.push(
      client.listen({
        appeared: (host) => this.#add(host),
        failed: () => {
          for (const hub of this.#hubs.values()) hub.fail();
        },
      }),
    );
    for (const host of client.hosts) this.#add(host);
  }

  /** @param id as in addresses @throws DendroError DENDRO_HOST_UNKNOWN */
  hubOf(id: string): LiveHub {
    const hub = this.#hubs.get(this.#client.host(id));
    if (hub === undefined) throw new Error('a host without a hub');
    return hub;
  }

  /** Greets a new socket. `leave` of the hub must be called when it is gone. */
  join(hub: LiveHub, socket: Socket, isJson: boolean): Session {
    const session = hub.join(socket, isJson);
    if (this.#hubs.size > 1) session.say({ type: 'hosts', hosts: this.#summaries() });
    return session;
  }

  /** Ends all sessions: the server goes down. */
  close(): void {
    clearTimeout(this.#telling);
    for (const unlisten of this.#unlisten) unlisten();
    for (const hub of this.#hubs.values()) hub.close();
  }

  #add(host: HostClient): void {
    this.#hubs.set(host, new LiveHub(host));
    const ringBytes = Math.min(RING_BYTES, Math.floor(ALL_RING_BYTES / this.#hubs.size));
    for (const hub of this.#hubs.values()) hub.ringBytes = ringBytes;
    this.#unlisten.push(host.listen({ host: () => this.#tellSoon(), status: () => this.#tellSoon() }));
    this.#tellSoon();
  }

  /** Many hosts say at once how they are. */
  #tellSoon(): void {
    if (this.#hubs.size < 2) return;
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#tell();
    }, TELL_MS);
  }

  /** What is told of them changes seldom. */
  #tell(): void {
    const hosts = this.#summaries();
    const told = JSON.stringify(hosts);
    if (told === this.#told) return;
    this.#told = told;
    for (const hub of this.#hubs.values()) hub.sayHosts(hosts);
  }

  #summaries(): HostSummary[] {
    return this.#client.hosts.map(({ info: { id, name, isLive }, status: { source } }) => {
      return { id, name, isLive, source: source.name, state: source.state };
    });
  }
}
