#!/usr/bin/env bash
# A Docker engine for tests and demonstrations.
#
#   docker-engine.sh host    print a DOCKER_HOST that works; starts a private engine if needed
#   docker-engine.sh start   start the private engine
#   docker-engine.sh stop    stop the private engine, and with it its containers
#   docker-engine.sh status  tell which engine answers, if any
#
# The private engine exists where no engine answers and we are root. It keeps its images in the
# cache folder of the user, so that they are there at the next start.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

folder=${XDG_CACHE_HOME:-$HOME/.cache}/vantage6/docker
socket=unix://$folder/docker.sock
pidfile=$folder/dockerd.pid
log=$folder/dockerd.log

answers() { # answers [DOCKER_HOST]
    DOCKER_HOST=${1:-${DOCKER_HOST:-}} timeout 10 docker version --format '{{.Server.Version}}' \
        >/dev/null 2>&1
}

running() {
    [ -e "$pidfile" ] && grep -qsx dockerd "/proc/$(cat "$pidfile")/comm"
}

fail() {
    echo "docker: $*" >&2
    exit 1
}

start() {
    answers "$socket" && return
    [ "$(id -u)" = 0 ] || fail "no engine answers; start Docker, or set DOCKER_HOST"
    command -v dockerd >/dev/null || fail "dockerd is missing: apt-get install docker.io iptables"
    # Two engines would share one bridge and one set of packet filter rules.
    ! grep -qsx dockerd /proc/[0-9]*/comm || fail "another dockerd runs; set DOCKER_HOST to its socket"
    rm -f "$pidfile"
    # The explicit limit: the usual start raises it, which a sandbox does not permit.
    setsid dockerd --default-ulimit nofile=1024:1024 --host "$socket" --pidfile "$pidfile" \
        --data-root "$folder/data" --exec-root "$folder/exec" >"$log" 2>&1 </dev/null &
    for _ in $(seq 300); do
        answers "$socket" && return
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    kill $! 2>/dev/null || true
    tail -n 5 "$log" >&2
    fail "dockerd did not start; see $log"
}

stop() {
    running || return 0
    local pid
    pid=$(cat "$pidfile")
    kill "$pid"
    for _ in $(seq 300); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    fail "dockerd ($pid) does not stop; see $log"
}

host() {
    if answers; then
        docker context inspect --format '{{.Endpoints.docker.Host}}'
    else
        start
        echo "$socket"
    fi
}

status() {
    if answers; then
        echo "an engine answers at $(docker context inspect --format '{{.Endpoints.docker.Host}}')"
    elif answers "$socket"; then
        echo "the private engine answers at $socket"
    else
        echo "no engine answers"
        exit 1
    fi
}

case "${1:-}" in
# One at a time: two would start one each.
host | start)
    mkdir -p "$folder"
    [ -n "${V6_STARTING:-}" ] || V6_STARTING=1 exec flock --close "$folder/start.lock" "$0" "$@"
    "$1"
    ;;
stop | status) "$1" ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
