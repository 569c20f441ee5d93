# The harness itself. `schism images build` builds it, or from the root of the project:
#   docker build -f images/schism.Dockerfile -t schism/schism:local .
# BASE is any image with Node 24 or newer and a shell. Runs are kept below the working folder:
#   docker run --rm -v "$PWD/runs:/runs" schism/schism:local run --backend sim
ARG BASE=node:24-slim

FROM ${BASE} AS files
LABEL schism.role=image
WORKDIR /context
COPY . .
RUN node cluster/backends/docker/images-pick-main.ts schism /schism

FROM ${BASE}
LABEL schism.role=image
COPY --from=files /schism /schism
RUN mkdir /runs /schism/.compiled && chown 1000:1000 /runs /schism/.compiled
USER 1000:1000
# Node.js keeps what it compiled, for each user apart: commands start sooner.
ENV NODE_COMPILE_CACHE=/schism/.compiled
RUN node /schism/cli/main.ts --help
WORKDIR /runs
ENTRYPOINT ["node", "/schism/cli/main.ts"]
CMD ["--help"]
