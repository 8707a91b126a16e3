# syntax=docker/dockerfile:1
# The service in a container: see docs/container.md. No engine is needed to check it: scripts/replay-dockerfile.

FROM swift:6.3-bookworm AS build
WORKDIR /src
# Packages and model first: they change less often than the sources.
COPY scripts scripts
RUN XDG_CACHE_HOME=/cache scripts/setup
COPY Makefile Package.swift ./
COPY config config
COPY Sources Sources
COPY Tests Tests
RUN make build && make install DESTDIR=/out PREFIX=/usr/local

FROM debian:bookworm-slim
COPY scripts/system-packages.txt /tmp/system-packages.txt
RUN apt-get update \
  && apt-get install --yes --no-install-recommends $(awk '$1 == "runtime" { print $2 }' /tmp/system-packages.txt) \
  && rm -rf /var/lib/apt/lists/* /tmp/system-packages.txt \
  && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin quarry \
  && install -d -o quarry -g quarry /data
COPY --from=build /out/usr/local /usr/local
COPY --from=build --chown=quarry /cache/quarry/models/all-MiniLM-L6-v2 /var/lib/quarry/model
COPY scripts/container-entrypoint /usr/local/bin/container-entrypoint
COPY LICENSE NOTICE /usr/local/share/doc/quarry/

# On all addresses, so the service demands an API key: `quarry keys create` makes one.
ENV QUARRY_SERVER_HOST=0.0.0.0 QUARRY_SERVER_PORT=8080 QUARRY_DATA_DIRECTORY=/data \
  QUARRY_EMBEDDING_DIRECTORY=/var/lib/quarry/model
USER quarry
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD curl --fail --silent --output /dev/null "http://127.0.0.1:$QUARRY_SERVER_PORT/health/live"
ENTRYPOINT ["container-entrypoint"]
CMD ["serve"]
