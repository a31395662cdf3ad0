#!/usr/bin/env bash
# Write constraints.txt anew: the newest version of each package that setup.cfg allows, with the
# hashes of all its files, for Python 3.11 to 3.14 on all systems. `make constraints` runs it.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
${PYTHON:-.venv/bin/python} -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml >"$work/build.in"
[ -s "$work/build.in" ] || { echo "pyproject.toml: no build-system.requires" >&2; exit 1; }
"$work/venv/bin/uv" pip compile --quiet --upgrade --universal --generate-hashes \
    --python-version 3.11 --all-extras --no-header \
    --output-file "$work/constraints.txt" setup.cfg "$work/build.in"
{
    echo "# Every package in one version, with the hashes of its files. Written by \`make constraints\`;"
    echo "# scripts/pinned.py takes from it what an installation needs. Python 3.11 to 3.14."
    # The folder of this run is nobody's business.
    sed "s|$work/build.in|build-system|" "$work/constraints.txt"
} >constraints.txt
