# The image of Countersign: no shell, no package manager, no root. docker build -t countersign .
# Each base can be pinned by its digest without a change here: --build-arg NODE_IMAGE=node:26.10.0-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:26.10.0-bookworm-slim
ARG OPA_IMAGE=openpolicyagent/opa:1.22.2-static
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${OPA_IMAGE} AS opa

FROM ${NODE_IMAGE} AS build
WORKDIR /build
# Packages change less often than sources. No script of a package runs.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY --from=opa /opa /usr/local/bin/opa
COPY . .
# Compiles the service and the policies, copies the packages that run, writes the SBOM and the licences, and checks that there is nothing else.
RUN node scripts/image.mjs --out /image/app
# Node.js with its licence, and what it is linked to and the base lacks.
RUN mkdir -p /image/usr/lib /image/usr/local/bin /image/usr/share/doc/node \
  && cp "$(command -v node)" /image/usr/local/bin/node \
  && find /usr/local -maxdepth 1 -name LICENSE -exec cp {} /image/usr/share/doc/node/ ';' \
  && ldd /image/usr/local/bin/node | awk '/libatomic/ { print $3 }' | xargs -r -I{} cp -L {} /image/usr/lib/

FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="Countersign" \
  org.opencontainers.image.description="Policy-driven authorization for machines and AI agents" \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build --chown=0:0 /image/ /
COPY --chown=0:0 config/image.yaml /etc/countersign/countersign.yaml
WORKDIR /app
# The environment goes before the file: it names the file and nothing else.
ENV NODE_ENV=production \
  COUNTERSIGN_CONFIG=/etc/countersign/countersign.yaml
# Nobody: by number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8080 9191 9090
# node itself, so that SIGTERM reaches it. Kubernetes probes /livez and /readyz.
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
