# Tunnus: what there is to do. `make` alone tells.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := broker providers mock_idp demo

.DEFAULT_GOAL := help
.PHONY: help setup demo try test test-all check lint format types imports locks lock check-alive clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.demo ## make .venv and install what the demo needs

demo: $(VENV)/.demo ## start everything on this machine, prove it, stay until Ctrl-C
	@$(BIN)/python -m demo

try: $(VENV)/.demo ## identify through every provider, dialect and shape of contract; then end
	@$(BIN)/python -m demo.try_all

test: $(VENV)/.test ## all tests that need no browser and no system package
	@$(BIN)/python -m pytest

test-all: $(VENV)/.test ## every test; needs Chromium, Node, npm and Redis
	@$(BIN)/python -m pytest -m ""

check: lint types imports locks test-all ## what CI runs

lint: $(VENV)/.test ## lint and format, nothing is changed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.test ## format, and mend what lint can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.test ## check the types
	@$(BIN)/mypy

imports: $(VENV)/.test ## check which folder may import which
	@$(BIN)/lint-imports --no-logo

locks: $(VENV)/.test ## check that the locks fit what they are made of
	@$(BIN)/python requirements/lock.py --check

lock: $(VENV)/.test ## make the locks anew, newer versions included
	@$(BIN)/python requirements/lock.py

check-alive: $(VENV)/.test ## remove each check in turn and see that a test turns red (slow)
	@$(BIN)/python -m tests.alive

clean: ## remove .venv, caches and the demo's state
	@rm -rf $(VENV) var .mypy_cache .pytest_cache .ruff_cache .import_linter_cache tunnus.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Tunnus needs Python 3.11 or newer as $(PYTHON). Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python has no venv module. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing what the demo needs (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.txt
	@$(BIN)/python requirements/install.py
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.demo
	@echo "installing what the tests need (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@
