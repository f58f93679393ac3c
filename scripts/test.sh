#!/bin/sh
# Everything: lint, then the tests, both to their end. Arguments go to pytest.
cd "$(dirname "$0")/.." || exit 1
sh scripts/bootstrap.sh dev || exit 1
.venv/bin/python -m scripts.browser || exit 1
.venv/bin/python -m scripts.servers || exit 1

lint=ok tests=ok
sh scripts/lint.sh || lint=FAILED
# One more than there are cores: many tests wait for a server or a browser.
workers=$(($(getconf _NPROCESSORS_ONLN) + 1))
.venv/bin/python -m pytest -n "$workers" --dist worksteal "$@" || tests=FAILED

echo "make test: lint $lint, tests $tests"
[ "$lint$tests" = okok ]
