// Every error leaves the server in one form: {code, message, status}.

import { DendroError, ERRORS, toError } from '@dendro/protocol';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendSignInPage } from './sign-in.ts';

export function errorHandlers(app: FastifyInstance): void {
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    const error = asDendroError(thrown);
    if (error.status >= 500) request.log.error({ err: thrown }, 'request failed');
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
  const isPage = request.method === 'GET' && (request.headers.accept?.includes('text/html') ?? false);
  if (error.code === 'DENDRO_UNAUTHENTICATED' && isPage) return sendSignInPage(reply);
  // A refused upgrade: the socket has left the server's care and would stay open for as long as the client likes.
  if (request.headers.upgrade !== undefined) reply.raw.once('finish', () => request.raw.socket.destroySoon());
  return reply
    .code(error.status)
    .send({ ...error.details, code: error.code, message: error.message, status: error.status });
}

function asDendroError(thrown: FastifyError): DendroError {
  if (thrown instanceof DendroError) return thrown;
  const error = toError(thrown);
  const status = thrown.statusCode ?? 500;
  if (status === 413) return new DendroError('DENDRO_BODY_TOO_LARGE', undefined, { cause: thrown });
  if (status >= 400 && status < 500) return new DendroError('DENDRO_REQUEST_INVALID', error.message, { cause: thrown });
  return new DendroError('DENDRO_INTERNAL', ERRORS.DENDRO_INTERNAL.text, { cause: thrown });
}
