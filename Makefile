# Every target does its own set-up. On a fresh Debian: `make run`, `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 4
STAMPS := .cache/stamps
ARGS ?=
# a program that may not keep what it compiled takes three times as long to start
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo test test-slow ready bench lint format native page servers lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

run: $(STAMPS)/venv native page  ## set everything up and start the server with its embedded store (ARGS="…" adds arguments)
	@exec $(BIN)/nilometer serve $(ARGS)

demo: $(STAMPS)/venv native page  ## show it at work: a server, a service, its customers; Ctrl-C ends all of it (ARGS="…" adds arguments)
	@exec $(BIN)/nilometer demo $(ARGS)

test: ready  ## run the checks: lint, types, unit, contract, integration, docs, e2e, parity
	@$(BIN)/python tests/run.py fast --jobs $(JOBS)

test-slow: ready  ## run what takes longer: coverage, fault loops, long fuzzing, servers built from source
	@$(BIN)/python tests/servers/install.py --slow
	@$(BIN)/python tests/run.py slow --jobs $(JOBS)

bench: $(STAMPS)/dev native page servers  ## measure side by side with other servers; the table goes to docs/performance.md
	@$(BIN)/python tests/servers/install.py --slow
	@$(BIN)/python bench/flush.py --write
	@$(BIN)/python bench/history.py --write
	@$(BIN)/python bench/chart.py --write
	@$(BIN)/python bench/page.py --write
	@$(BIN)/python bench/middleware.py --write
	@$(BIN)/python bench/client.py --write
	@$(BIN)/python bench/notifier.py --write
	@$(BIN)/python bench/messages.py --write
	@$(BIN)/python bench/plugins.py --write
	@$(BIN)/python bench/rows.py --write
	@$(BIN)/python bench/tracer.py --write
	@$(BIN)/python bench/traces.py --write
	@$(BIN)/python bench/statsd.py --write $(ARGS)

ready: $(STAMPS)/dev
	@$(MAKE) --no-print-directory --jobs=3 native page servers

lint: $(STAMPS)/dev native page  ## run the linters and type checkers only
	@$(BIN)/python tests/run.py lint

format: $(STAMPS)/dev  ## lay out the code
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format . ; (cd native && cargo fmt) ; cd web && npm run -s format

native: $(STAMPS)/venv  ## build the native kernel into the virtual environment
	@$(BIN)/python native/build.py

page: $(STAMPS)/venv  ## build the web page into the package
	@$(BIN)/python web/build.py

servers: $(STAMPS)/dev  ## install the servers that the tests start, into .cache/
	@$(BIN)/python tests/servers/install.py

lock: $(STAMPS)/venv  ## lock the dependencies anew (no index is named in the lock)
	@for part in server dev page; do $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --no-annotate requirements/$$part.in -o requirements/$$part.lock; done

clean:  ## remove everything that the targets made
	rm -rf $(VENV) .cache build dist native/target fuzz/native/{target,artifacts,corpus,coverage} .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache web/node_modules src/nilometer/web/static artifacts

$(STAMPS)/python:
	@mkdir -p $(STAMPS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Nilometer needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; } || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 2; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@touch $@

$(STAMPS)/venv: $(STAMPS)/python requirements/tools.lock requirements/server.lock pyproject.toml
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/tools.lock
	@$(BIN)/uv pip install -q --require-hashes -r requirements/server.lock
	@$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/dev: $(STAMPS)/venv requirements/dev.lock
	@$(BIN)/uv pip install -q --require-hashes -r requirements/dev.lock
	@touch $@
