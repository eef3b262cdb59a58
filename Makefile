.PHONY: setup demo dev test test-all coverage mutants bench bench-door bench-peers bench-scale bench-freshness bench-quality bench-sources bench-rights chaos check lock docs reference clients

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

setup: $(STAMP)

$(STAMP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Headrace needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: setup
	$(BIN)/headrace demo

dev: setup
	$(BIN)/python -m pipelines.cli.demo.dev

# Tests make and remove thousands of small files. In memory that takes a third of the system's time; they need less than
# 3 GB there, and where that much is not to spare they go where temporary files always go.
SPARE := 6000000
SPARE_KB = $(shell { df -Pk /dev/shm | awk 'NR == 2 {print $$4}'; awk '/^MemAvailable/ {print $$2}' /proc/meminfo; } 2>/dev/null | sort -n | head -1)
test test-all: export TMPDIR ?= $(if $(shell test 0$(SPARE_KB) -ge $(SPARE) && echo yes),/dev/shm,/tmp)
# Every command that a test starts would compile all modules anew.
test test-all: export PYTHONDONTWRITEBYTECODE :=

# Below 16 minutes of CPU, start of the workers included: 8 on two cores.
test: setup
	$(BIN)/python -m pytest -m "not slow"

test-all: setup clients
	$(BIN)/python -m pytest

# The site of the documentation, in build/site; a link that leads nowhere is an error.
docs: setup
	$(BIN)/python -m docs.site

# The reference pages, made from the code; a test says when they are out of date.
reference: setup
	$(BIN)/python -m docs.site reference

# What the snippets of docs/assistants import, in an environment of its own: these libraries pin what Headrace needs too.
clients: $(VENV)/clients/.installed

$(VENV)/clients/.installed: requirements-clients.txt
	$(PYTHON) -m venv $(VENV)/clients
	$(VENV)/clients/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-clients.txt
	@touch $@

coverage: setup
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

# Whether fast tests notice each small change of the modules that decide.
mutants: setup
	$(BIN)/python -m tests.mutants

bench-sources: setup
	$(BIN)/python -m tests.bench.sources
	$(BIN)/python -m tests.bench.budget

# What a sync costs that finds nothing new, with 200, 2,000 and 10,000 units (UNITS names other numbers), what a second
# Celery worker is worth, what a worker costs that waits for events, what a second one of those is worth, and what the
# catalog's statements take with a million documents.
bench-scale: setup
	$(BIN)/python -m tests.bench.scale $(UNITS)
	$(BIN)/python -m tests.bench.workers
	$(BIN)/python -m tests.bench.sharing
	$(BIN)/python -m tests.bench.catalog

# From a right that is taken away to the moment when nobody finds by it any more.
bench-rights: setup
	$(BIN)/python -m tests.bench.rights

# The same beside LangChain's indexing, CocoIndex and Pathway, each in an environment of its own.
bench-peers: setup
	$(BIN)/python -m tests.bench.peers $(CORPUS)

# What strangers can do to a server, and what real requests see of it.
bench-door: setup
	$(BIN)/python -m tests.bench.door

# Half an hour of kills, outages and clock jumps, and whether anything is lost, doubled or stuck after it.
chaos: setup
	$(BIN)/python -m tests.chaos $(CHAOS)

# POINTS names how many passages are in the index before.
bench-freshness: setup
	$(BIN)/python -m tests.bench.freshness $(if $(POINTS),--points $(POINTS))

# DATA names the folder of the public sets; see tests/bench/quality.py.
bench-quality: setup
	$(BIN)/python -m tests.bench.quality $(DATA)

# Documents are made from a seed; CORPUS names an archive of others.
bench: setup
	$(BIN)/python -m tests.bench $(CORPUS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry connectors pipelines assets
	$(BIN)/deptry tests --ignore DEP002,DEP004

# Pins every dependency with hashes, for all platforms and Python versions from 3.11 on: one set for running, which is
# what the image installs, and one for developing, which holds the first; and one of the clients that tests run.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
PEERS := langchain cocoindex pathway

lock:
	$(LOCK) --extra postgres --extra otel --extra k8s pyproject.toml --output-file requirements.txt
	$(LOCK) --all-extras --group dev --constraint requirements.txt pyproject.toml --output-file requirements-dev.txt
	$(LOCK) --group pyproject.toml:clients --output-file requirements-clients.txt
	for peer in $(PEERS); do $(LOCK) --group pyproject.toml:peer-$$peer --output-file tests/bench/peers/$$peer.txt; done
