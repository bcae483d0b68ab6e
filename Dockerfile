# The governor: Node, bubblewrap, git. What agents run comes from their project, or from an image made from this one.
FROM node:24.11.1-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY rolldown.config.mjs ./
COPY src ./src
COPY builtin ./builtin
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24.11.1-bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap git ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 agov && useradd --uid 10001 --gid agov --no-create-home --home-dir /project agov \
 && install --directory --owner=agov --group=agov --mode=0700 /keys /project
COPY --from=build /build/package.json /opt/agov/package.json
COPY --from=build /build/node_modules /opt/agov/node_modules
COPY --from=build /build/dist /opt/agov/dist
COPY --from=build /build/builtin /opt/agov/builtin
COPY --chmod=0755 deploy/governor/entrypoint.sh /usr/local/bin/agov
USER 10001:10001
WORKDIR /project
ENTRYPOINT ["agov"]
CMD ["serve"]
