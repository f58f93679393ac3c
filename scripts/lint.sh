#!/bin/sh
# All linters, each to its end: one run names everything there is to mend.
cd "$(dirname "$0")/.." || exit 1
python=.venv/bin/python
failed=''

check() {
    name=$1
    shift
    "$@" || failed="$failed $name"
}

check 'ruff-check' $python -m ruff check --quiet .
check 'ruff-format' $python -m ruff format --check --quiet .
check 'mypy' $python -m mypy --no-error-summary
check 'import-linter' .venv/bin/lint-imports --no-logo

if [ -n "$failed" ]; then
    echo "lint: failed:$failed"
    exit 1
fi
echo "lint: ok (ruff check, ruff format, mypy --strict, import-linter)"
