# Everything here sets itself up: Python 3.11 or newer, make, and a network to the package index are enough.
# pip checks every package against the hashes in requirements/, which `make lock` writes.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP_INSTALL = $(BIN)/python -m pip install --disable-pip-version-check
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
	--custom-compile-command 'make lock' $(LOCK)

.DEFAULT_GOAL := help
.PHONY: help demo demo-live test lint pictures bench firmware clean

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.for-demo ## the whole main job on this machine, and a check that nobody was lost
	@$(BIN)/python -m demo

demo-live: $(VENV)/.for-demo ## the pages, with people who walk in real time, until Ctrl-C
	@$(BIN)/python -m demo.live $(if $(DAYS),--days $(DAYS))

test: $(VENV)/.for-dev ## all tests; PYTEST='-k NAME' for some
	$(BIN)/python -m pytest -n auto $(PYTEST)

lint: $(VENV)/.for-dev ## style, spelling, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/typos
	$(BIN)/mypy
	$(BIN)/lint-imports

pictures: $(VENV)/.for-dev ## docs/pictures/page*.png, from the running product
	$(BIN)/python -m demo.pictures

bench: $(VENV)/.for-dev ## measure, as ratios in one run; BENCH='--help' for sizes
	$(BIN)/python -m bench $(BENCH)

firmware: ## the counter's core as programs for this machine; FIRMWARE='--sanitize' or '--xtensa'
	@$(or $(PYTHON),python3) firmware/build.py $(FIRMWARE)

lock: $(VENV)/.for-dev ## requirements/*.txt from pyproject.toml; LOCK=--upgrade for the newest versions
	$(COMPILE) pyproject.toml --extra dev --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra demo --constraint requirements/dev.txt --output-file requirements/demo.txt
	$(COMPILE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/product.txt
	$(COMPILE) --group build --constraint requirements/dev.txt --output-file requirements/build.txt
	$(COMPILE) --group firmware --output-file requirements/firmware.txt

clean: ## remove what the other targets made
	rm -rf $(VENV) demo-data demo-live-data firmware/build bench/.cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Footfall needs Python 3.11 or newer with venv; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.for-%: requirements/%.txt requirements/build.txt pyproject.toml $(BIN)/python
	@echo "Installing the packages locked in $< ..."
	@$(PIP_INSTALL) --require-hashes --requirement requirements/build.txt --requirement $<
	@echo "Installing Footfall itself ..."
	@$(PIP_INSTALL) --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.for-demo
