#!/usr/bin/env bash
# Ask the service of the Python index which packages of constraints.txt have known holes.
#
# Ends with 1 if one has, and with 0 and a sentence if the service does not answer: what cannot be
# asked is neither well nor wrong.
set -uo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unreachable() {
    tail -n 3 "$work/log" >&2
    echo "NOT AUDITED: the service of known vulnerabilities does not answer from here; try again elsewhere."
    exit 0
}

${PYTHON:-.venv/bin/python} -m venv "$work/venv" >"$work/log" 2>&1 || unreachable
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check pip-audit \
    >"$work/log" 2>&1 || unreachable
"$work/venv/bin/pip-audit" --progress-spinner off --disable-pip --require-hashes --timeout 20 \
    --requirement "${1:-constraints.txt}" >"$work/found" 2>"$work/log"
code=$?
unknown=$(grep -c 'could not be audited' "$work/found")
total=$(grep -c '^[A-Za-z0-9].*==' "${1:-constraints.txt}")
if grep -qE '^Found [0-9]+ known vulnerabilit' "$work/log" "$work/found"; then
    cat "$work/found" "$work/log"
    exit 1
fi
[ "$code" = 0 ] && [ "$unknown" -lt "$total" ] || unreachable
if [ "$unknown" -gt 0 ]; then
    grep 'could not be audited' "$work/found"
    echo "NOT AUDITED: $unknown of $total packages; see above."
fi
echo "$((total - unknown)) of $total packages have no known vulnerability."
