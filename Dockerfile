# The web process of Freiplatz, as compose.yaml runs it. No registry is named here but the
# builder's own; the Python packages are checked against the hashes in requirements.txt.

FROM python:3.13-slim AS packages
WORKDIR /build
RUN python -m venv /opt/freiplatz
COPY requirements.txt ./
RUN /opt/freiplatz/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY scripts/basemap scripts/basemap
RUN /opt/freiplatz/bin/python scripts/basemap > towns.json

FROM node:24-slim AS client
WORKDIR /build/web/client
COPY web/client/package.json web/client/package-lock.json web/client/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY web/client ./
# The names of towns on the map: there is no Python in this stage to ask for them.
COPY --from=packages /build/towns.json ./
RUN npm run build

FROM packages AS app
COPY pyproject.toml README.md LICENSE ./
COPY vacancies vacancies
COPY providers providers
COPY web web
COPY --from=client /build/web/client/dist web/client/dist
RUN /opt/freiplatz/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

# The proxy: its folders belong to a user who is not root, and volumes made from them too.
FROM caddy:2.11 AS proxy
COPY deploy/Caddyfile /etc/caddy/Caddyfile
RUN adduser -S -D -H -u 10002 -G nogroup proxy && chown -R proxy:nogroup /data /config
USER 10002

FROM python:3.13-slim AS web
RUN groupadd --system --gid 10001 freiplatz \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/freiplatz --create-home freiplatz
COPY --from=app /opt/freiplatz /opt/freiplatz
ENV PATH=/opt/freiplatz/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FREIPLATZ_HOST=0.0.0.0 \
    FREIPLATZ_DATA_DIR=/var/lib/freiplatz
USER 10001:10001
WORKDIR /var/lib/freiplatz
EXPOSE 8000
# SIGTERM would end it at once: see docs/deployment.md.
STOPSIGNAL SIGQUIT
CMD ["freiplatz", "serve"]
