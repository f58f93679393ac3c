#!/bin/sh
# Writes requirements.lock and requirements-dev.lock from pyproject.toml: every version, with the hashes of every
# wheel and sdist, for Linux and macOS on each Python we run on. Versions already locked stay unless they must move.
#   scripts/lock.sh                      after a change of pyproject.toml
#   scripts/lock.sh --upgrade            move everything that may move
#   scripts/lock.sh --upgrade-package X  move one
set -eu
cd "$(dirname "$0")/.."

tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
trap 'exit 130' INT TERM
python3 -m venv "$tool/venv"
"$tool/venv/bin/pip" install --quiet uv==0.13.9

# compile LOCK [OPTION...]: no header and no index, so that nothing of this machine stands in the lock
compile() {
    lock=$1
    shift
    "$tool/venv/bin/uv" pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
        --no-config --no-header --no-emit-index-url --no-emit-find-links --output-file "$lock" "$@"
}

compile requirements.lock "$@"
# The tests run on what is served: the second lock is held to the first.
compile requirements-dev.lock --group dev --constraints requirements.lock --no-annotate "$@"
if ! grep '==' requirements.lock | while read -r pin; do grep -qxF -- "$pin" requirements-dev.lock || { echo "$pin"; exit 1; }; done; then
    echo "lock: the pin above is in requirements.lock and not in requirements-dev.lock" >&2
    exit 1
fi
