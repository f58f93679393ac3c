# The two that matter: `make run` serves the desk, `make test` checks everything.
.PHONY: run test test-model lint bench faults redteam long playground lock

run:
	@sh scripts/bootstrap.sh && exec .venv/bin/python -m bot serve

test:
	@sh scripts/test.sh

lint:
	@sh scripts/bootstrap.sh dev && sh scripts/lint.sh

bench:
	@sh scripts/bootstrap.sh dev && exec .venv/bin/python -m bench

faults:
	@sh scripts/bootstrap.sh dev && .venv/bin/python -m scripts.servers
	.venv/bin/python -m tests.faults
	.venv/bin/python -m tests.faults --directory --kills 60

# The language model replaced by an attacker, and injected strings everywhere: OUTPUTS=1000000, SEED=7 (docs/red-team.md).
redteam:
	@sh scripts/bootstrap.sh dev
	.venv/bin/python -m tests.redteam --outputs $(or $(OUTPUTS),100000) $(if $(SEED),--seed $(SEED))

# Every dialogue with a language model that is well-behaved, hostile, slow, dripping or talks nonsense.
test-model:
	@sh scripts/bootstrap.sh dev && .venv/bin/python -m scripts.servers
	@for mode in well hostile slow drip garbage; do \
	    echo "== a model that is: $$mode"; \
	    TEST_MODEL=$$mode .venv/bin/python -m pytest -n auto tests/journeys || failed="$$failed $$mode"; \
	done; \
	if [ -n "$$failed" ]; then echo "test-model: failed:$$failed"; exit 1; fi

# What takes minutes: training further on all phrases, held against what is promised.
long:
	@sh scripts/bootstrap.sh dev
	.venv/bin/python -m pytest -m long

# The journeys in Microsoft's local playground, a client of Teams that is not ours: fetched, never shipped.
playground:
	@sh scripts/bootstrap.sh dev && .venv/bin/python -m scripts.browser && .venv/bin/python -m scripts.node playground
	.venv/bin/python -m pytest -m playground tests/playground

# Writes both locks anew from pyproject.toml.
lock:
	@sh scripts/lock.sh
