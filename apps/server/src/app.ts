// The gateway: HTTP, WebSocket and static files. It moves bytes and asks the
// tree worker; it holds no tree. No listen and no environment here, so that
// tests build it too.

import { existsSync } from 'node:fs';
import { DendroError } from '@dendro/protocol';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyInstance } from 'fastify';
import { Access, type AccessOptions } from './access.ts';
import { errorHandlers, refuseAddress, refuseBytes } from './errors.ts';
import { livePlugin } from './live/plugin.ts';
import { eventRoutes } from './routes/events.ts';
import { exportRoutes } from './routes/export.ts';
import { healthRoutes } from './routes/health.ts';
import { historyRoutes } from './routes/history.ts';
import { hostRoutes } from './routes/hosts.ts';
import { metricsRoute } from './routes/metrics.ts';
import { taskRoutes } from './routes/tasks.ts';
import { refuseToken, signInRoutes } from './sign-in.ts';
import type { TreeClient } from './tree-worker/tree-client.ts';

export interface AppOptions {
  readonly access: AccessOptions;
  /** Folder of the built web app. */
  readonly webRoot: string;
  readonly version: string;
}

export async function buildApp(client: TreeClient, options: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: { level: 'warn', stream: process.stderr },
    forceCloseConnections: true,
    bodyLimit: 1024 * 1024,
    // Longer than any that is valid: a route that says what is wrong with it is better than none that fits.
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: refuseAddress,
    clientErrorHandler: refuseBytes,
  }).withTypeProvider<TypeBoxTypeProvider>();
  const access = new Access(options.access);
  await app.register(cookie);
  access.guard(app);
  errorHandlers(app);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  await app.register(swagger, {
    openapi: {
      info: {
        title: 'Dendro',
        version: options.version,
        description: 'The process trees of Linux hosts, live and as of any past instant.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
  signInRoutes(app, access);
  healthRoutes(app, client);
  metricsRoute(app, client);
  await app.register(hostRoutes, { client });
  await app.register(taskRoutes, { client, hasHost: true });
  await app.register(taskRoutes, { client, hasHost: false });
  await app.register(historyRoutes, { client });
  await app.register(exportRoutes, { client, version: options.version });
  await app.register(eventRoutes, { client });
  await app.register(livePlugin, { client });
  await app.register(fastifyStatic, {
    root: options.webRoot,
    index: false,
    wildcard: existsSync(options.webRoot),
    serve: true,
  });

  app.get<{ Querystring: { token?: string; ticket?: string } }>(
    '/',
    { schema: { hide: true } },
    async (request, reply) => {
      const { token, ticket } = request.query;
      if (token !== undefined || ticket !== undefined) {
        const isKnown = access.isSignedIn(request) && token === undefined; // a ticket ends, a cookie does not
        if (!isKnown && !access.isToken(token) && !access.isTicket(ticket, request)) return refuseToken(request, reply);
        access.signIn(reply);
        return reply.redirect(withoutToken(request.url), 303);
      }
      if (!access.isSignedIn(request)) throw new DendroError('DENDRO_UNAUTHENTICATED');
      return reply.header('cache-control', 'no-cache').sendFile('index.html');
    },
  );
  return app;
}

// The token must not stay in the address bar, history or a shared link.
function withoutToken(url: string): string {
  const query = new URLSearchParams(url.split('?')[1]);
  query.delete('token');
  query.delete('ticket');
  return query.size > 0 ? `/?${query}` : '/';
}
