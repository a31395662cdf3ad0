# Every process of a server: `vserver run api|worker|beat|flower`, and the operator's commands.
#
# The build context is the checkout. BASE: Debian or Ubuntu with Python 3.11 or newer and pip.
# Without an index to download from, put wheels into the folder `wheels` of the checkout, and give
# PIP_NO_INDEX=1 and PIP_FIND_LINKS=/source/wheels as build arguments.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ARG PIP_NO_INDEX=
ARG PIP_FIND_LINKS=
ARG PIP_INDEX_URL=
COPY . /source
# An empty variable is not the same to pip as none.
RUN for name in PIP_NO_INDEX PIP_FIND_LINKS PIP_INDEX_URL; do \
        [ -n "$(printenv $name)" ] || unset $name; \
    done; \
    export PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
    && cd /source && mkdir /dist \
    && python3 scripts/pinned.py build >/dist/build.txt \
    && python3 -m pip install --no-deps --require-hashes --target /build -r /dist/build.txt \
    && PYTHONPATH=/build python3 -m pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && python3 scripts/pinned.py server >/dist/all.txt \
    && echo "vantage6 @ file://$(ls /dist/*.whl)" \
        "--hash=sha256:$(sha256sum /dist/*.whl | cut -d' ' -f1)" >>/dist/all.txt \
    && python3 -m pip install --no-deps --require-hashes --target /opt/vantage6 -r /dist/all.txt

FROM ${BASE}
# For `vserver backup` and `vserver restore`.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        postgresql-client \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
RUN groupadd --gid 10001 vantage6 \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp vantage6 \
    && install --directory --owner=10001 --group=10001 --mode=700 /var/lib/vantage6
COPY --from=build /opt/vantage6 /opt/vantage6
ENV PATH=/opt/vantage6/bin:$PATH \
    PYTHONPATH=/opt/vantage6 \
    PYTHONUNBUFFERED=1
USER 10001:10001
ENTRYPOINT ["vserver"]
CMD ["--help"]
