# Schism's own server of Toxiproxy's API. `schism images build` builds it, or from the root:
#   docker build -f images/toxiproxy-server.Dockerfile -t schism/toxiproxy-server:local .
# BASE is any image with Node 24 or newer and a shell.
ARG BASE=node:24-slim

FROM ${BASE} AS files
LABEL schism.role=image
WORKDIR /context
COPY . .
RUN node cluster/backends/docker/images-pick-main.ts toxiproxy-server /schism

FROM ${BASE}
LABEL schism.role=image
COPY --from=files /schism /schism
RUN mkdir /schism/.compiled && chown 1000:1000 /schism/.compiled
USER 1000:1000
# Node.js keeps what it compiled, for each user apart. The server ends when the pipe closes.
ENV NODE_COMPILE_CACHE=/schism/.compiled
RUN echo | node /schism/cluster/network/toxiproxy-server/main.ts --listen 127.0.0.1:0
EXPOSE 8474
ENTRYPOINT ["node", "/schism/cluster/network/toxiproxy-server/main.ts"]
# It has no password: it is for networks that nobody else is in.
CMD ["--listen", "0.0.0.0:8474", "--allow-remote"]
