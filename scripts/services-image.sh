#!/usr/bin/env bash
# Make vantage6/services:latest, the image of a node's own helpers (Squid, OpenVPN), from Debian's
# packages. Does nothing if it is there for the present Dockerfile.
set -euo pipefail
. "$(dirname "$0")/one-build.sh"
cd "$(dirname "$0")/.."

base=vantage6/base:latest
image=vantage6/services:latest

DOCKER_HOST=$(scripts/docker-engine.sh host)
export DOCKER_HOST
scripts/base-image.sh

content=$({
    docker image inspect --format '{{.Id}}' "$base"
    cat node/services/Dockerfile
} | sha256sum | cut -c1-16)
label=$(docker image inspect --format '{{index .Config.Labels "vantage6.content"}}' \
    "$image" 2>/dev/null) || label=
[ "$label" != "$content" ] || exit 0

echo "building $image ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The network of this machine, to reach the mirror that it reaches.
docker build --network host --build-arg "BASE=$base" --label "vantage6.content=$content" \
    --tag "$image" - <node/services/Dockerfile >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
