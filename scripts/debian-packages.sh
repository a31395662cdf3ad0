#!/usr/bin/env bash
# Install what the tests use from the packages of Debian or Ubuntu: Redis, PostgreSQL, Docker, a
# registry, Podman, what rootless engines need, Prometheus, nginx, Chromium, the Docker Compose tool.
# Does nothing where all of it is there. Without root it says what to install and succeeds:
# the tests that miss something are skipped.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

packages=()
want() { # want COMMAND PACKAGE
    command -v "$1" >/dev/null || packages+=("$2")
}
want git git
want make make
want redis-server redis-server
want debootstrap debootstrap
want iptables iptables
want dockerd docker.io
want prometheus prometheus
want nginx nginx
want ssh openssh-client
want sshd openssh-server
want ip iproute2
want docker-registry docker-registry
want podman podman
# The pages of the console.
want chromium chromium
# Engines of an ordinary user.
want rootlesskit rootlesskit
want slirp4netns slirp4netns
want newuidmap uidmap
docker compose version >/dev/null 2>&1 || want docker-compose docker-compose
# Podman's networks; a helper that is on nobody's PATH.
[ -x /usr/lib/podman/netavark ] || packages+=(netavark)
# initdb is not on the PATH: Debian keeps the versions of PostgreSQL side by side.
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || want initdb postgresql
# The base image is Debian, whose key Ubuntu does not bring along.
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || packages+=(debian-archive-keyring)

if ! command -v apt-get >/dev/null; then
    [ "${#packages[@]}" = 0 ] || echo "not Debian or Ubuntu; some tests need: ${packages[*]}" >&2
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    if [ "${#packages[@]}" != 0 ]; then
        echo "some tests will be skipped; for all: sudo apt-get install ${packages[*]}" >&2
    fi
    exit 0
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
# Keeps the freshly installed services stopped: the tests start their own, on free ports.
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy" "$log"' EXIT
else
    trap 'rm -f "$log"' EXIT
fi

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 </dev/null ||
        { tail -n 20 "$log" >&2; echo "apt-get $* failed" >&2; exit 1; }
}

updated=
install() {
    echo "installing $* ..."
    [ -n "$updated" ] || apt update
    updated=1
    apt install --yes --no-install-recommends "$@"
}

[ "${#packages[@]}" = 0 ] || install "${packages[@]}"
# From Debian 13 on docker.io holds the daemon only.
command -v docker >/dev/null || install docker-cli
