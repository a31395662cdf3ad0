# A node: `vnode start --attach`, and the other commands of a data station.
#
# The build context is the checkout; its arguments are those of server.Dockerfile.
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
    && python3 scripts/pinned.py node >/dist/all.txt \
    && echo "vantage6 @ file://$(ls /dist/*.whl)" \
        "--hash=sha256:$(sha256sum /dist/*.whl | cut -d' ' -f1)" >>/dist/all.txt \
    && python3 -m pip install --no-deps --require-hashes --target /opt/vantage6 -r /dist/all.txt

FROM ${BASE}
COPY --from=build /opt/vantage6 /opt/vantage6
ENV PATH=/opt/vantage6/bin:$PATH \
    PYTHONPATH=/opt/vantage6 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 10001:10001
ENTRYPOINT ["vnode"]
CMD ["--help"]
