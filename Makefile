# Two commands do everything: `make run` and `make test`.
# PORT=8765 DATA_DIR=./data LUTHIER_CACHE=~/.cache/luthier TORCH_INDEX=<an index with CPU builds of torch> may be set.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --no-compile --no-input --disable-pip-version-check -c constraints.txt
export PORT DATA_DIR LUTHIER_CACHE TORCH_INDEX
# What Python compiled is kept beside the packages, whatever the environment says: each of many processes of ours would
# else compile all that it imports anew, which takes longer than importing it.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache

.DEFAULT_GOAL := help
.PHONY: help run test check bench soak docs clean

help: ## Show this help
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16
	@echo "  PORT=8765  DATA_DIR=./data  LUTHIER_CACHE=~/.cache/luthier  TORCH_INDEX=  may be set, e.g. make run PORT=9000"

run: $(VENV)/.answers ## Install what answers need, start everything, print the address (Ctrl-C stops all of it)
	@exec $(BIN)/luthier up

test: check $(VENV)/.chromium ## Run every test, the journey in a real browser included
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder # tests/conftest.py orders

check: $(VENV)/.dev ## Lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## Measure; figures go to docs/performance.md
	$(BIN)/python -m bench.advice
	$(BIN)/python -m bench.lint
	$(BIN)/python -m bench.reading
	$(BIN)/python -m bench.weights
	$(BIN)/python -m bench.abstention
	$(BIN)/python -m bench.retrieval
	$(BIN)/python -m bench.answers
	$(BIN)/python -m bench.protocol
	$(BIN)/python -m bench.intervals
	$(BIN)/python -m bench.guardrails
	$(BIN)/python -m bench.refusals
	$(BIN)/python -m bench.evaluation
	$(BIN)/python -m bench.ledger
	$(BIN)/python -m bench.remote --jobs 1000
	$(BIN)/python -m bench.journey
	$(BIN)/python -m bench.budget --seeds 20
	$(BIN)/python -m bench.chat
	$(BIN)/python -m bench.diversity
	$(BIN)/python -m bench.chaos --jobs 500 --kills 50 --redis-wipes 3 --seed 7 --json

soak: $(VENV)/.dev $(VENV)/.rq2 ## Long, seeded runs (hours): slow tests, races for budgets, ten thousand jobs through a thousand kills
	$(BIN)/python -m pytest -m slow --timeout 1800
	$(BIN)/python -m bench.npm --full
	$(BIN)/python -m bench.budget --approvals 64 --seeds 1000
	$(BIN)/python -m bench.budget --approvals 64 --seeds 1000 --database postgres
	$(CHAOS) --database sqlite
	$(CHAOS) --database postgres
	PYTHONPATH=$(VENV)/rq-2.12.0 $(CHAOS) --database sqlite
	PYTHONPATH=$(VENV)/rq-2.12.0 $(CHAOS) --database postgres

CHAOS = $(BIN)/python -m bench.chaos --jobs 10000 --kills 1000 --redis-wipes 20 --seed 7 --json

# mkdocs --quiet would hide from --strict what it does not print.
docs: $(VENV)/.dev ## Write docs/cli.md from --help, then the guide and docs as a site into site/; a broken link ends it
	$(BIN)/python -m docs.build
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@echo "Read it: $(BIN)/python -m http.server --directory site 8000, then http://127.0.0.1:8000"

clean: ## Remove the virtual environment and caches; data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info site

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Luthier needs Python 3.11 or newer; set PYTHON=python3.12 or the like."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.answers: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing what answers need (about 500 MB on disk, half a minute on a fast line)…"
	@$(PIP) -e .
	@touch $@

$(VENV)/.train: $(VENV)/.answers
	@echo "Installing the training tools…"
	@$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	@$(PIP) -e ".[train]"
	@touch $@

$(VENV)/.dev: $(VENV)/.train
	@echo "Installing what tests need…"
	@$(PIP) -e ".[dev]"
	@touch $@

$(VENV)/.rq2: $(VENV)/.answers # the oldest RQ that we promise to run on, beside the one that we use
	@$(filter-out -c constraints.txt,$(PIP)) --no-deps --target $(VENV)/rq-2.12.0 rq==2.12.0
	@touch $@

$(VENV)/.chromium: $(VENV)/.dev
	@scripts/install-chromium $(BIN)
	@touch $@
