#!/usr/bin/env bash
# Install this project, editable, into the virtual environment .venv:  environment.sh EXTRA
#
# Takes the first Python of this machine that is new enough; as root on Debian or Ubuntu it
# installs what is missing for that.
set -euo pipefail
cd "$(dirname "$0")/.."

extra=$1
log=.venv/install.log

fail() {
    echo "$*" >&2
    exit 1
}

find_python() {
    local name
    for name in python3 python3.11 python3.12 python3.13 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

apt_install() {
    echo "installing $* ..."
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install \
        --yes --no-install-recommends "$@"; } >/dev/null </dev/null
}

# May this script install packages of the distribution?
administers() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

if [ ! -x .venv/bin/pip ]; then
    python=$(find_python) || {
        ! administers || apt_install python3 python3-venv
        python=$(find_python) || fail "Python 3.11 or newer is needed"
    }
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        administers || fail "the module venv is missing: sudo apt-get install $package"
        apt_install "$package"
    fi
    "$python" -m venv .venv
fi

# SECURITY: only files whose hashes constraints.txt has, so that an index cannot hand out others.
install() {
    local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps)
    .venv/bin/python scripts/pinned.py build "$extra" >.venv/pinned.txt &&
        "${pip[@]}" --require-hashes --requirement .venv/pinned.txt &&
        "${pip[@]}" --no-build-isolation --editable . || return
    [ "$extra" != dev ] ||
        "${pip[@]}" --require-hashes --requirement tests/algorithms/tables.txt
}

echo "installing vantage6[$extra] into .venv (about a minute) ..."
if ! install >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "installation failed; the whole story is in $log"
fi
