#!/usr/bin/env bash
# Build the images of all algorithms: algorithms/<name> becomes vantage6/<name>:latest.
#
# An image whose sources did not change is left alone. Building needs no network: the wheels are
# collected before, for the Python of the base image, and kept in the cache folder.
set -euo pipefail
. "$(dirname "$0")/one-build.sh"
shopt -s nullglob
cd "$(dirname "$0")/.."

python=${PYTHON:-.venv/bin/python}
base=vantage6/base:latest
# What the wheel in an image is for; a change in the server code rebuilds nothing.
sources=(setup.cfg pyproject.toml algorithms client common tools)

DOCKER_HOST=$(scripts/docker-engine.sh host)
export DOCKER_HOST
scripts/base-image.sh

content=$({
    docker image inspect --format '{{.Id}}' "$base"
    find "${sources[@]}" scripts/build-images.sh -type f ! -name '*.pyc' -print0 |
        sort -z | xargs -0 sha256sum
} | sha256sum | cut -c1-16)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wheels=$work/context/wheels

# Wheels of the project and of what it needs at run time, in $wheels.
collect_wheels() {
    local interpreter machine glibc key platforms=()
    read -r interpreter machine glibc < <(docker run --rm --network none "$base" python3 -c '
import platform
print(platform.python_version().rpartition(".")[0], platform.machine(), platform.libc_ver()[1])')
    for minor in $(seq "${glibc#2.}" -1 17); do
        platforms+=(--platform "manylinux_2_${minor}_$machine")
    done
    platforms+=(--platform "manylinux2014_$machine")

    # A copy, so that an old build/ does not get into the wheel, nor a new one into the checkout.
    mkdir "$work/project"
    tar -c --exclude-vcs --exclude=./.[a-z]* --exclude=./build --exclude=__pycache__ . |
        tar -x -C "$work/project"
    "$python" -m pip wheel -qq --no-deps --wheel-dir "$wheels" "$work/project"

    key=$({ sha256sum setup.cfg; echo "$interpreter $machine $glibc"; } | sha256sum | cut -c1-16)
    if [ ! -d "$cache/wheels-$key" ]; then
        rm -rf "$cache"/wheels-*
        "$python" -m pip download -qq --only-binary=:all: --implementation cp \
            --python-version "$interpreter" "${platforms[@]}" \
            --dest "$work/dependencies" "$wheels"/*.whl
        rm "$work"/dependencies/vantage6-*.whl
        mkdir -p "$cache"
        mv "$work/dependencies" "$cache/wheels-$key"
    fi
    cp "$cache/wheels-$key"/* "$wheels"
}

# The card in a file, as the value of the label org.vantage6.card.
label_of() {
    "$python" -c '
import sys
from pathlib import Path
from vantage6.common import cards
print(cards.write_label(cards.read(Path(sys.argv[1]).read_bytes())))' "$1"
}

for dockerfile in algorithms/*/Dockerfile; do
    name=$(basename "$(dirname "$dockerfile")")
    image=vantage6/$name:latest
    label=$(docker image inspect --format '{{index .Config.Labels "vantage6.content"}}' \
        "$image" 2>/dev/null) || label=
    if [ "$label" != "$content" ]; then
        echo "building $image ..."
        [ -d "$wheels" ] || collect_wheels
        arguments=(--build-arg "BASE=$base")
        # A Dockerfile with `ARG CARD` puts it into the label of the image.
        if grep -q '^ARG CARD' "$dockerfile"; then
            arguments+=(--build-arg "CARD=$(label_of "$(dirname "$dockerfile")/card.json")")
        fi
        docker build --file "$dockerfile" "${arguments[@]}" --network none \
            --label "vantage6.content=$content" --tag "$image" \
            "$work/context" >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
    fi
    # The name in existing scripts.
    docker tag "$image" "harbor2.vantage6.ai/demo/$name:latest"
done
