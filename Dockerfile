# The server as it runs from the workspace: no bundle, for Node strips the types as it loads
# the sources. Not `pnpm deploy` either: that copies our packages into node_modules, where
# Node refuses to strip types.

FROM node:24-slim AS workspace
WORKDIR /dendro
COPY package.json ./
RUN npm install --global "pnpm@$(node -p 'require("./package.json").config.pnpm')"
COPY . .

FROM workspace AS web
RUN pnpm install --frozen-lockfile --filter '@dendro/web...' \
  && pnpm --filter @dendro/web run build

FROM workspace AS server
RUN pnpm install --prod --frozen-lockfile --filter '@dendro/server...'

FROM node:24-slim
ENV NODE_ENV=production
# Loads the programs of the eBPF source into the kernel.
RUN apt-get update && apt-get install --yes --no-install-recommends libbpf1 && rm -rf /var/lib/apt/lists/*
WORKDIR /dendro
COPY --from=server /dendro ./
COPY --from=web /dendro/apps/web/dist ./apps/web/dist
EXPOSE 7337
# Loopback inside a container cannot be reached from outside of it. What keeps the port off
# the network is how it is published (docker-compose.yml: on the host's loopback only).
ENTRYPOINT ["node", "/dendro/apps/server/src/main.ts", "--listen", "0.0.0.0", "--insecure"]
CMD ["--port", "7337"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7337/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
