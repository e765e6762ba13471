// Every error leaves the server in one form: {code, message, status}.

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { DendroError, ERRORS, toError } from '@dendro/protocol';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendSignInPage, wantsPage } from './sign-in.ts';

export function errorHandlers(app: FastifyInstance): void {
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    const error = asDendroError(thrown);
    if (error.code === 'DENDRO_INTERNAL') request.log.error({ err: thrown }, 'request failed');
    return send(request, reply, error);
  });
  app.setNotFoundHandler((request, reply) =>
    send(
      request,
      reply,
      new DendroError(
        'DENDRO_ROUTE_UNKNOWN',
        `There is no ${request.method} ${request.url.split('?', 1)[0]?.slice(0, 200)}.`,
      ),
    ),
  );
}

function send(request: FastifyRequest, reply: FastifyReply, error: DendroError): FastifyReply {
  const isPage = request.method === 'GET' && wantsPage(request);
  if (error.code === 'DENDRO_UNAUTHENTICATED' && isPage) return sendSignInPage(reply);
  if (error.code === 'DENDRO_BUSY') reply.header('retry-after', '1');
  // A refused upgrade: the socket has left the server's care and would stay open for as long as the client likes.
  if (request.headers.upgrade !== undefined) reply.raw.once('finish', () => request.raw.socket.destroySoon());
  return reply.code(error.status).send(problemOf(error));
}

/** What the body of an answer says of an error. */
export function problemOf({ code, message, status, details }: DendroError): object {
  return { ...details, code, message, status };
}

/** For fastify: an address that it cannot make out, before it has looked for a route. */
export function refuseAddress(_error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  send(
    request,
    reply,
    new DendroError('DENDRO_REQUEST_INVALID', 'The address is not valid, or a part of it is too long.'),
  );
}

/** For fastify: bytes that are no HTTP, so that there is neither request nor reply. */
export function refuseBytes(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const sentence =
    error.code === 'HPE_HEADER_OVERFLOW' ? 'The headers of the request are too large.' : 'This is no HTTP request.';
  const problem = new DendroError('DENDRO_REQUEST_INVALID', sentence);
  const body = JSON.stringify(problemOf(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function asDendroError(thrown: FastifyError): DendroError {
  if (thrown instanceof DendroError) return thrown;
  const error = toError(thrown);
  const status = thrown.statusCode ?? 500;
  if (status === 413) return new DendroError('DENDRO_BODY_TOO_LARGE', undefined, { cause: thrown });
  if (status >= 400 && status < 500) {
    return new DendroError('DENDRO_REQUEST_INVALID', sentenceOf(thrown), { cause: thrown });
  }
  return new DendroError('DENDRO_INTERNAL', ERRORS.DENDRO_INTERNAL.text, { cause: error });
}

/** `querystring/depth must be >= 0` is how the framework says it. */
function sentenceOf({ message, validation }: FastifyError): string {
  const [first] = validation ?? [];
  const name = first?.instancePath.slice(1);
  const text = first === undefined ? message : `${name ? `The parameter "${name}"` : 'It'} ${first.message}`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}
