# Every target installs what it needs: Python 3.11 or newer, make and access to the package index are enough.
# pip checks every package against the hashes in requirements/, which `make lock` writes.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP_INSTALL = $(BIN)/python -m pip install --disable-pip-version-check
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
	--custom-compile-command 'make lock' $(LOCK)

.DEFAULT_GOAL := help
.PHONY: help demo demo-live test lint docs pictures bench mutants firmware lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.for-demo ## run the whole product once, and check that no count is lost
	@$(BIN)/python -m demo

demo-live: $(VENV)/.for-demo ## serve the pages, with simulated people walking in real time, until Ctrl-C
	@$(BIN)/python -m demo.live $(if $(DAYS),--days $(DAYS))

test: $(VENV)/.for-dev ## run all tests; PYTEST='-k NAME' for some
	$(BIN)/python -m pytest -n auto $(PYTEST)

lint: $(VENV)/.for-dev ## check style, spelling, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/typos
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.for-dev ## write the reference pages from the code
	$(BIN)/python -m cli.reference

pictures: $(VENV)/.for-dev ## take docs/pictures/page*.png from the running product
	$(BIN)/python -m demo.pictures

bench: $(VENV)/.for-dev ## measure, as ratios within one run; BENCH='--help' for options
	$(BIN)/python -m bench $(BENCH)

mutants: $(VENV)/.for-mutants ## break the code on purpose and list what no test notices; MUTANTS='--help' for options
	$(BIN)/python -m tests.mutants $(MUTANTS)

firmware: ## build the counter's core for this machine; FIRMWARE='--sanitize' or '--xtensa'
	@$(or $(PYTHON),python3) firmware/build.py $(FIRMWARE)

lock: $(VENV)/.for-dev ## lock the ranges of pyproject.toml in requirements/; LOCK=--upgrade for newer versions
	$(COMPILE) pyproject.toml --extra dev --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra mutants --constraint requirements/dev.txt --output-file requirements/mutants.txt
	$(COMPILE) pyproject.toml --extra demo --constraint requirements/dev.txt --output-file requirements/demo.txt
	$(COMPILE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/product.txt
	$(COMPILE) --group build --constraint requirements/dev.txt --output-file requirements/build.txt
	$(COMPILE) --group firmware --output-file requirements/firmware.txt

clean: ## remove everything the other targets made
	rm -rf $(VENV) mutants demo-data demo-live-data firmware/build bench/.cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Footfall needs Python 3.11 or newer with venv; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.for-%: requirements/%.txt requirements/build.txt pyproject.toml $(BIN)/python
	@echo "Installing the packages locked in $< ..."
	@$(PIP_INSTALL) --require-hashes --requirement requirements/build.txt --requirement $<
	@echo "Installing Footfall itself ..."
	@$(PIP_INSTALL) --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.for-demo $(if $(filter %.for-mutants,$@),$(VENV)/.for-dev)
