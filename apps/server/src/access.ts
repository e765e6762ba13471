// Who may talk to the server. Command lines are secrets, so every request
// needs the token: as a bearer, or as the cookie that the token is exchanged
// for. `Host` is checked against DNS rebinding, `Origin` against other sites.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { DendroError } from '@dendro/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface AccessOptions {
  readonly token: string;
  /** Names the cookie: cookies do not know ports, and two servers must not sign each other's users out. */
  readonly cookieName: string;
  /** Is the server bound to loopback only? Then only loopback names are answered. */
  readonly isLoopback: boolean;
  /** Further host names it answers under. */
  readonly allowedHosts: readonly string[];
  /** Lets a browser in that was opened from here. */
  readonly ticket?: Ticket | undefined;
}

/** A way in that is not the token. */
export interface Ticket {
  isGood(candidate: string, socket: Socket): boolean;
}

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Answered without the token: nothing in them is about the host. */
const OPEN_PATHS = new Set(['/healthz', '/readyz', '/login', '/']);

export const MIN_TOKEN_LENGTH = 16;

export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

export function isLoopbackAddress(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}

export class Access {
  readonly #options: AccessOptions;
  readonly #cookie: string;

  constructor(options: AccessOptions) {
    this.#options = options;
    // The browser keeps something that cannot be turned back into the token.
    this.#cookie = createHmac('sha256', options.token).update('dendro cookie').digest('base64url');
  }

  /** Checks every request, upgrades to WebSocket included, before anything else is done with it. */
  guard(app: FastifyInstance): void {
    app.addHook('onRequest', async (request) => {
      this.#checkHost(request.headers.host);
      this.#checkOrigin(request);
      const path = request.url.split('?', 1)[0] ?? '';
      if (!OPEN_PATHS.has(path) && !this.isSignedIn(request)) throw new DendroError('DENDRO_UNAUTHENTICATED');
    });
  }

  isSignedIn(request: FastifyRequest): boolean {
    const cookie = request.cookies[this.#options.cookieName];
    if (cookie !== undefined && isEqual(cookie, this.#cookie)) return true;
    const [scheme, bearer] = (request.headers.authorization ?? '').split(' ');
    return scheme?.toLowerCase() === 'bearer' && bearer !== undefined && this.isToken(bearer);
  }

  isToken(candidate: unknown): boolean {
    return typeof candidate === 'string' && isEqual(candidate, this.#options.token);
  }

  isTicket(candidate: unknown, { socket }: FastifyRequest): boolean {
    return typeof candidate === 'string' && this.#options.ticket?.isGood(candidate, socket) === true;
  }

  signIn(reply: FastifyReply): void {
    reply.setCookie(this.#options.cookieName, this.#cookie, { path: '/', httpOnly: true, sameSite: 'strict' });
  }

  #checkHost(header: string | undefined): void {
    const name = hostName(header);
    if (name === undefined) throw new DendroError('DENDRO_HOST_REFUSED');
    if (LOOPBACK_NAMES.has(name) || this.#options.allowedHosts.includes(name)) return;
    // A name can be made to point here by anyone who has a domain; an address or our own name cannot.
    const isOurs =
      !this.#options.isLoopback && (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || name === hostname().toLowerCase());
    if (!isOurs) throw new DendroError('DENDRO_HOST_REFUSED');
  }

  #checkOrigin(request: FastifyRequest): void {
    const { origin, host } = request.headers;
    if (origin === undefined) return; // not a page of another site: browsers say where those come from
    if (origin !== `${request.protocol}://${host}`) throw new DendroError('DENDRO_ORIGIN_REFUSED');
  }
}

/** Host name in lower case without the port; undefined when the header is not one. */
function hostName(header: string | undefined): string | undefined {
  return /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.exec(header?.toLowerCase() ?? '')?.[1];
}

export function isEqual(candidate: string, expected: string): boolean {
  const [a, b] = [Buffer.from(candidate), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
