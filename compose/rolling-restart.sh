#!/usr/bin/env bash
# Replace the replicas of a service while it serves:  rolling-restart.sh api worker
#
# New ones are started beside the old ones, from the present image and configuration; once they are
# healthy the old ones are stopped, one after the other, each after what it has begun. COMPOSE: how
# to call the Docker Compose tool.
set -euo pipefail

read -ra compose <<<"${COMPOSE:-docker compose}"
cd "${COMPOSE_DIRECTORY:-$(dirname "$0")}"

fail() {
    echo "rolling restart: $*" >&2
    exit 1
}

healthy() { # healthy CONTAINER...
    [ "$(docker inspect --format '{{.State.Health.Status}}' "$@" | sort -u)" = healthy ]
}

replace() {
    local service=$1 old=() all=() new=() one
    mapfile -t old < <("${compose[@]}" ps -q "$service")
    [ "${#old[@]}" != 0 ] || fail "$service does not run"
    "${compose[@]}" up --detach --no-deps --no-recreate --scale "$service=$((2 * ${#old[@]}))" \
        "$service" >/dev/null 2>&1 || fail "$service: new ones cannot be started"
    mapfile -t all < <("${compose[@]}" ps -q "$service")
    for one in "${all[@]}"; do
        [[ " ${old[*]} " == *" $one "* ]] || new+=("$one")
    done
    for _ in $(seq 240); do
        healthy "${new[@]}" && break
        sleep 0.5
    done
    healthy "${new[@]}" || fail "$service: the new ones are not healthy; the old ones serve on"
    # nginx looks the names up every second.
    sleep 2
    for one in "${old[@]}"; do
        docker stop -t 60 "$one" >/dev/null
        docker rm "$one" >/dev/null
        sleep 2
    done
    echo "$service: ${#old[@]} replaced"
}

[ "$#" != 0 ] || fail "name the services, such as: api worker"
for service; do
    replace "$service"
done
