# etcd as Debian packages it. `schism images build --only etcd` builds it, or:
#   docker build -f images/etcd.Dockerfile -t schism/etcd:local .
# BASE is Debian, or any image with a shell that has etcd already.
ARG BASE=debian:12-slim

FROM ${BASE}
LABEL schism.role=image
RUN command -v etcd || { apt-get update && \
      apt-get install -y --no-install-recommends etcd-server etcd-client && \
      rm -rf /var/lib/apt/lists/*; }
RUN mkdir /data && chown 1000:1000 /data
USER 1000:1000
WORKDIR /data
EXPOSE 2379 2380
CMD ["etcd"]
