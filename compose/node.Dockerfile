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
    python3 -m pip install --no-cache-dir --root-user-action=ignore --disable-pip-version-check \
        --target /opt/vantage6 '/source[node]'

FROM ${BASE}
COPY --from=build /opt/vantage6 /opt/vantage6
ENV PATH=/opt/vantage6/bin:$PATH \
    PYTHONPATH=/opt/vantage6 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 10001:10001
ENTRYPOINT ["vnode"]
CMD ["--help"]
