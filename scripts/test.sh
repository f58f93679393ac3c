#!/bin/sh
# Everything: lint, then the tests, both to their end. Arguments go to pytest.
cd "$(dirname "$0")/.." || exit 1
sh scripts/bootstrap.sh dev || exit 1
.venv/bin/python -m scripts.browser || exit 1
.venv/bin/python -m scripts.servers || exit 1
.venv/bin/python -m scripts.node || exit 1

# The tests start a hundred processes: without bytecode each would compile for half a second.
unset PYTHONDONTWRITEBYTECODE

lint=ok tests=ok
sh scripts/lint.sh || lint=FAILED
# In memory where there is one for it: the tests wait for a thousand commits to disk, and kill processes, not power.
if [ -d /dev/shm ] && [ -w /dev/shm ]; then
    TMPDIR=$(mktemp -d /dev/shm/deskhand-XXXXXX)
    export TMPDIR
    trap 'rm -rf "$TMPDIR"' EXIT
fi
# One more than there are cores: many tests wait for a server or a browser.
workers=$(($(getconf _NPROCESSORS_ONLN) + 1))
.venv/bin/python -m pytest -n "$workers" --dist worksteal "$@" || tests=FAILED

echo "make test: lint $lint, tests $tests"
[ "$lint$tests" = okok ]
