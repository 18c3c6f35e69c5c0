# ltci: the daily commands. `make help` lists them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
BENCH  ?= append
CASES  ?= 2000

.DEFAULT_GOAL := help
.PHONY: help setup protos check test test-fast simulate demo up bench lock clean

help: ## Lists these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

setup: $(STAMP) ## Makes .venv with everything pinned in requirements.lock

$(STAMP): requirements.lock pyproject.toml infra/codegen/protos.py $(shell find protos -name '*.proto')
	@echo "setting up $(VENV) (a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

protos: setup ## Makes the protobuf code anew (build/gen)
	@$(BIN)/python infra/codegen/protos.py

check: setup ## Format, lint, types, import contracts, protos: fast to slow
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/tidy tests/explain/test_sentences.py

test: setup ## All tests, fast ones first
	@$(BIN)/pytest

test-fast: setup ## The tests that start no servers
	@$(BIN)/pytest -q tests/tidy tests/kernel tests/rules

simulate: setup ## Lives 2000 cases through every branch of the rules: make simulate CASES=2000
	@$(BIN)/python -m tests.simulation --cases $(CASES)

demo: setup ## Lives forty-nine people through two years on the real stack
	@$(BIN)/ltci demo

up: setup ## Starts the embedded stack and stays; Ctrl-C stops all
	@$(BIN)/ltci up

bench: setup ## Measures: make bench BENCH=append
	@$(BIN)/python -m benchmarks $(BENCH)

lock: ## Resolves requirements.lock anew (needs uv)
	@uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-annotate --universal \
	  --python-version 3.11 --group build --group dev pyproject.toml -o requirements.lock

clean: ## Removes what the commands made, but not .data
	@rm -rf build $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
