#!/usr/bin/env bash
# Build what compose.yaml and node.yaml run, without any registry: vantage6/server, vantage6/node, and
# vantage6/backing with Redis, PostgreSQL and nginx from Debian's packages.
#
# An image whose sources did not change is left alone. Prints the variables that make compose.yaml
# use them.
set -euo pipefail
. "$(dirname "$0")/one-build.sh"
cd "$(dirname "$0")/.."

python=${PYTHON:-.venv/bin/python}
base=vantage6/base:latest
sources=(setup.cfg pyproject.toml constraints.txt scripts/pinned.py README.md LICENSE
    algorithms api broker client common models node sandbox server tools validation web workers)

scripts/web.sh
DOCKER_HOST=$(scripts/docker-engine.sh host)
export DOCKER_HOST
scripts/base-image.sh >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

hash_of() { # hash_of PATH... : of the base image and of all files
    {
        docker image inspect --format '{{.Id}}' "$base"
        find "$@" -name node_modules -prune -o -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c1-16
}

build() { # build IMAGE CONTENT OPTION... CONTEXT
    local image=$1 content=$2 label
    shift 2
    label=$(docker image inspect --format '{{index .Config.Labels "vantage6.content"}}' \
        "$image" 2>/dev/null) || label=
    [ "$label" != "$content" ] || return 0
    echo "building $image ..." >&2
    # The network of this machine, to reach the mirror that it reaches.
    docker build --network host --build-arg "BASE=$base" --label "vantage6.content=$content" \
        --tag "$image" "$@" >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; exit 1; }
}

# The checkout, with the wheels of everything that server and node need.
collect() {
    local full version machine glibc key platforms=() requirements
    [ ! -d "$work/context" ] || return 0
    read -r full machine glibc < <(docker run --rm --network none "$base" python3 -c '
import platform
print(platform.python_version(), platform.machine(), platform.libc_ver()[1])')
    version=${full%.*}
    for minor in $(seq "${glibc#2.}" -1 17); do
        platforms+=(--platform "manylinux_2_${minor}_$machine")
    done
    platforms+=(--platform "manylinux2014_$machine" --platform any)
    key=$({ sha256sum setup.cfg constraints.txt scripts/deployment-images.sh; echo "$full $machine $glibc"; } |
        sha256sum | cut -c1-16)
    if [ ! -d "$cache/deployment-$key" ]; then
        rm -rf "$cache"/deployment-*
        requirements=$work/requirements
        # pip asks which version it runs on itself, so that what hangs on it is chosen here.
        "$python" scripts/pinned.py build server node | "$python" -c '
import re, sys
from packaging.markers import Marker
full = sys.argv[1]
there = {"python_full_version": full, "python_version": ".".join(full.split(".")[:2])}
for block in re.split(r"\n(?=[A-Za-z0-9])", sys.stdin.read().strip()):
    first, end, hashes = block.partition(" \\\n")
    name, _, marker = first.partition(" ; ")
    if not marker or Marker(marker).evaluate(there):
        print(name + end + hashes)' "$full" >"$requirements"
        "$python" -m pip download -qq --no-deps --require-hashes --only-binary=:all: \
            --implementation cp --python-version "$version" "${platforms[@]}" --dest "$work/wheels" \
            --requirement "$requirements" >&2
        mkdir -p "$cache"
        mv "$work/wheels" "$cache/deployment-$key"
    fi
    mkdir "$work/context"
    tar -c --exclude=__pycache__ --exclude=node_modules compose/server.Dockerfile compose/node.Dockerfile .dockerignore \
        "${sources[@]}" | tar -x -C "$work/context"
    cp -r "$cache/deployment-$key" "$work/context/wheels"
}

build vantage6/backing:latest "$(hash_of compose/backing)" compose/backing
for name in server node; do
    content=$(hash_of "${sources[@]}" "compose/$name.Dockerfile")
    label=$(docker image inspect --format '{{index .Config.Labels "vantage6.content"}}' \
        "vantage6/$name:latest" 2>/dev/null) || label=
    [ "$label" != "$content" ] || continue
    collect
    build "vantage6/$name:latest" "$content" --file "$work/context/compose/$name.Dockerfile" \
        --build-arg PIP_NO_INDEX=1 --build-arg PIP_FIND_LINKS=/source/wheels "$work/context"
done
for service in REDIS POSTGRES NGINX; do
    echo "V6_${service}_IMAGE=vantage6/backing"
done
