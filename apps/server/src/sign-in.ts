// The page where a token is exchanged for a cookie, for those who come without
// the printed URL. It works without scripts.

import { createHash } from 'node:crypto';
import { DendroError } from '@dendro/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from './access.ts';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { display: grid; place-items: center; min-height: 90vh; margin: 0; background: Canvas; color: CanvasText; }
main { width: min(26rem, calc(100vw - 3rem)); }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; }
label { display: block; margin: 1.25rem 0 .25rem; font-weight: 600; }
input, button { font: inherit; padding: .5rem .75rem; border: 1px solid color-mix(in srgb, CanvasText 35%, Canvas); border-radius: .4rem; }
input { box-sizing: border-box; width: 100%; }
button { margin-top: .75rem; background: #1f6f54; border-color: #1f6f54; color: #fff; cursor: pointer; }
.error { color: light-dark(#a32018, #ff9a8f); font-weight: 600; }
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;

const page = (error: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to Dendro</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main><h1>Dendro</h1>
<p>Command lines hold secrets, so this page needs the token that <code>dendro</code> printed when it started.
Open the URL that it printed, or paste the token here.</p>
${error}<form method="post" action="/login"><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Sign in</button></form></main></body></html>
`;

export function sendSignInPage(reply: FastifyReply, isRefused = false): FastifyReply {
  return reply
    .code(401)
    .header('content-security-policy', POLICY)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(page(isRefused ? '<p class="error" role="alert">That is not the token.</p>' : ''));
}

export function refuseToken(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (wantsPage(request)) return sendSignInPage(reply, true);
  throw new DendroError('DENDRO_UNAUTHENTICATED', 'That is not the token.');
}

/** `POST /login` takes the token as a form or as JSON; `GET /?token=` is what the printed URL leads to. */
export function signInRoutes(app: FastifyInstance, access: Access): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4096 },
    (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(String(body))));
    },
  );
  app.post('/login', { schema: { hide: true }, bodyLimit: 4096 }, async (request, reply) => {
    const body: unknown = request.body;
    const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
    if (!access.isToken(token)) return refuseToken(request, reply);
    access.signIn(reply);
    return wantsPage(request) ? reply.redirect('/', 303) : reply.send({ ok: true });
  });
}

/** Does a person wait for the answer? Programs are answered in JSON. */
export function wantsPage(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') ?? false;
}
