# Builds with every docker and docker-compose, the classic builder included: nothing here needs BuildKit.
# Both bases can be replaced (a digest, a mirror, distroless for the last stage): docker build --build-arg NODE_IMAGE=…
ARG BUILD_IMAGE=node:24-bookworm-slim
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Without the workspaces: they hold the tools of tests and demo, two thirds of all packages.
RUN npm ci --workspaces=false --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
RUN npm run build

FROM ${NODE_IMAGE}
# The second folder is where distroless images keep node.
ENV NODE_ENV=production DATA_DIR=/data TZ=UTC PATH=${PATH}:/nodejs/bin
WORKDIR /app
COPY --from=build /app/dist/main.js dist/main.js
USER 1000
# Exec form, node itself: npm or a shell would swallow the stop signal.
# V8 would let short-lived objects pile up to 48 MiB before it collects them: here a bound on memory is worth more.
ENTRYPOINT ["node", "--max-semi-space-size=4", "/app/dist/main.js"]
# Of a published image: where its sources are, the commit, and the time (RFC 3339). Last, since they change each time.
ARG SOURCE=
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="data-raw-upload" \
      org.opencontainers.image.description="Lands CSV files, byte for byte, in the raw zone of a data lake on S3" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="MIT"
