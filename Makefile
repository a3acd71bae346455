# One way in. `make` lists what there is; every target installs what it needs by itself.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help demo test peers chaos check bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d: make PYTHON=python3.12 …" % v[:2])'
	@echo "Installing into .venv (once) …"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv/.ready ## the main job on embedded defaults: mocks, gateway, citizens, dossiers, faults on purpose
	@$(BIN)/lienthong demo

# Three workers for two cores: a test that talks to a process waits for a third of its time. Modules stay compiled, also
# where the environment forbids that: the tests start some hundreds of processes that import the same.
test: .venv/.ready ## every test that needs nothing but Python
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 3 --dist worksteal $(ARGS)

peers: .venv/.ready ## foreign software against ours; installs what it needs (Node, Chromium)
	tools/peers.sh

chaos: .venv/.ready ## kill and freeze real processes under load, and look what the ledgers say (SIZE=short: four minutes)
	LIENTHONG_CHAOS_SIZE=$(or $(SIZE),full) $(BIN)/python -m pytest tests/chaos $(ARGS)

check: .venv/.ready ## lint, types, import rules, OpenAPI, alert rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/openapi_check.py
	tools/promtool.sh

bench: .venv/.ready ## the gateway and the mocks beside their peers, in one run; writes docs/benchmarks.md
	tools/bench.sh -- $(ARGS)

lock: .venv/.ready ## pin the dependencies again, with hashes
	tools/lock.sh $(BIN)/uv

clean: ## remove everything the targets have made
	rm -rf .venv .bench .peers build dist var
