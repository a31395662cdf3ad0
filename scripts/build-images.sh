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
sources=(setup.cfg pyproject.toml constraints.txt algorithms client common tools)

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

# What an image needs beyond the package itself: an extra of setup.cfg, by the name of the image.
declare -A extras=([statistics]=statistics)

# The wheel of the project, in $work/project-wheels.
build_wheel() {
    # A copy, so that an old build/ does not get into the wheel, nor a new one into the checkout.
    mkdir "$work/project"
    tar -c --exclude-vcs --exclude=./.[a-z]* --exclude=./build --exclude=__pycache__ \
        --exclude=node_modules . | tar -x -C "$work/project"
    "$python" -m pip wheel -qq --no-deps --wheel-dir "$work/project-wheels" "$work/project"
}

# What the project with an extra needs at run time, in the folder that is printed.
collect_dependencies() {
    local extra=$1 interpreter machine glibc key folder pinned=$work/pinned-$1.txt platforms=()
    read -r interpreter machine glibc < <(docker run --rm --network none "$base" python3 -c '
import platform
print(platform.python_version().rpartition(".")[0], platform.machine(), platform.libc_ver()[1])')
    "$python" scripts/pinned.py "$extra" >"$pinned"
    key=$({ cat "$pinned"; echo "$interpreter $machine $glibc"; } | sha256sum | cut -c1-16)
    folder=$cache/wheels-${extra:-base}-$key
    if [ ! -d "$folder" ]; then
        rm -rf "$cache/wheels-${extra:-base}"-*
        for minor in $(seq "${glibc#2.}" -1 17); do
            platforms+=(--platform "manylinux_2_${minor}_$machine")
        done
        platforms+=(--platform "manylinux2014_$machine")
        # SECURITY: only files whose hashes constraints.txt has.
        "$python" -m pip download -qq --no-deps --require-hashes --only-binary=:all: \
            --implementation cp --python-version "$interpreter" "${platforms[@]}" \
            --dest "$work/dependencies-$extra" --requirement "$pinned"
        mkdir -p "$cache"
        mv "$work/dependencies-$extra" "$folder"
    fi
    echo "$folder"
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
        [ -d "$work/project-wheels" ] || build_wheel
        dependencies=$(collect_dependencies "${extras[$name]:-}")
        mkdir -p "$work/$name/wheels"
        cp "$work"/project-wheels/* "$dependencies"/* "$work/$name/wheels"
        arguments=(--build-arg "BASE=$base")
        # A Dockerfile with `ARG CARD` puts it into the label of the image.
        if grep -q '^ARG CARD' "$dockerfile"; then
            arguments+=(--build-arg "CARD=$(label_of "$(dirname "$dockerfile")/card.json")")
        fi
        docker build --file "$dockerfile" "${arguments[@]}" --network none \
            --label "vantage6.content=$content" --tag "$image" \
            "$work/$name" >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
    fi
    # The name in existing scripts.
    docker tag "$image" "harbor2.vantage6.ai/demo/$name:latest"
done
