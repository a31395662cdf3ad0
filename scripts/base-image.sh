#!/usr/bin/env bash
# Make vantage6/base:latest, the image that algorithm images build on: Python with pip, nothing else.
#
# Taken from a registry where there is one, otherwise made from Debian's packages (needs root).
# Uses the engine of DOCKER_HOST; does nothing if the image is there.
set -euo pipefail
. "$(dirname "$0")/one-build.sh"
export PATH="$PATH:/usr/sbin:/sbin"
cd "$(dirname "$0")/.."

image=vantage6/base:latest
# The Python of this machine: wheels for the image are chosen by this machine's pip.
version=$("${PYTHON:-.venv/bin/python}" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
official=python:$version-slim
# shellcheck source=/dev/null
release=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || release=bookworm
archive=$cache/base-$release-$(uname -m).tar.gz

have() {
    docker image inspect "$1" >/dev/null 2>&1
}

fail() {
    echo "base image: $*" >&2
    exit 1
}

fetch() {
    if have "$official" || timeout 180 docker pull --quiet "$official" >/dev/null 2>&1; then
        docker tag "$official" "$image"
    else
        return 1
    fi
}

# The mirror that this machine uses, if it is a Debian machine.
mirror() {
    local found
    found=$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' 2>/dev/null |
        grep -m 1 '/debian/\?$') || true
    echo "${found:-http://deb.debian.org/debian}"
}

make_archive() {
    command -v debootstrap >/dev/null || fail "$official cannot be pulled; install debootstrap"
    [ "$(id -u)" = 0 ] || fail "$official cannot be pulled, and debootstrap needs root"
    local root
    root=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder of now
    trap "rm -rf --one-file-system '$root'" EXIT
    debootstrap --variant=minbase --include=python3,python3-pip "$release" "$root" "$(mirror)" \
        >"$cache/debootstrap.log" 2>&1 || fail "$(tail -n 3 "$cache/debootstrap.log")"
    chmod 755 "$root" # of mktemp; a user other than root could not enter the image
    ln -s python3 "$root/usr/bin/python"
    # As in the official Python images: pip may install into this system, it has one purpose.
    rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/* "$root"/var/log/* \
        "$root"/usr/share/locale "$root"/usr/share/man "$root"/usr/share/info
    find "$root/usr/share/doc" -type f ! -name copyright -delete
    find "$root" -xdev -name __pycache__ -type d -prune -exec rm -rf {} +
    tar -C "$root" --numeric-owner -c . | gzip -1 >"$archive.part"
    mv "$archive.part" "$archive"
}

if have "$image" || fetch; then
    exit
fi
mkdir -p "$cache"
if [ ! -e "$archive" ]; then
    echo "making $image from Debian $release (about a minute) ..."
    make_archive
fi
docker import --change 'CMD ["python3"]' --change 'ENV LANG=C.UTF-8' \
    --message "Debian $release with Python and pip" "$archive" "$image" >/dev/null
