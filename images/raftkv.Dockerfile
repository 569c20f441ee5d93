# One member of raftkv. `schism images build` builds it, or from the root of the project:
#   docker build -f images/raftkv.Dockerfile -t schism/raftkv:local .
# BASE is any image with Node 24 or newer and a shell.
ARG BASE=node:24-slim

FROM ${BASE} AS files
LABEL schism.role=image
WORKDIR /context
COPY . .
RUN node cluster/backends/docker/images-pick-main.ts raftkv /schism

FROM ${BASE}
LABEL schism.role=image
COPY --from=files /schism /schism
RUN mkdir /data /schism/.compiled && chown 1000:1000 /data /schism/.compiled
USER 1000:1000
# Node.js keeps what it compiled, for each user apart: a member starts sooner.
ENV NODE_COMPILE_CACHE=/schism/.compiled
RUN node /schism/cluster/raftkv/main.ts --help
WORKDIR /data
EXPOSE 2379 2380
ENTRYPOINT ["node", "/schism/cluster/raftkv/main.ts"]
CMD ["--help"]
