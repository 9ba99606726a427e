# Every target sets up what it needs: `make demo` and `make test` are the first commands on a fresh machine.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CDK := $(BIN)/python -m local.node cdk
STACK ?= Signoff
# One process more than there are processors: those that wait for an engine leave them idle.
WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')
# What was compiled is kept, whatever the environment says: assertions are rewritten, and engines start often.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS)

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help:  ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s  %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/ready  ## Make .venv with everything in it (every target calls this)

$(VENV)/ready: requirements/dev.txt pyproject.toml package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Signoff needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) (once)"
	@$(PIP) --require-hashes --no-deps --requirement requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m local.node npm ci --no-audit --no-fund --loglevel error
	@touch $@

.PHONY: demo
demo: setup  ## Run the whole pipeline on this machine with real models, and tear it down
	@$(BIN)/python -m local.demo

# In a fresh clone each test process would compile the tests anew: once is enough, while one processor is linting.
.PHONY: compile
compile: setup
	@compgen -G "tests/__pycache__/conftest.*-pytest-*.pyc" >/dev/null || { \
	  told=$$(PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --collect-only -qq 2>&1) || { echo "$$told" | tail -50; exit 1; }; }

.PHONY: test
test: setup  ## Run all tests: unit, workflow, infrastructure, end to end; or some, not linted (PART="unit/policy workflow")
	@$(if $(PART),,$(MAKE) --no-print-directory --jobs 2 lint compile)
	@$(PYTEST) $(addprefix tests/,$(PART))

.PHONY: test-deep
test-deep: setup lint  ## Run all tests, with all the examples and cases that `make test` takes a share of
	@$(PYTEST) --hypothesis-profile=deep $(addprefix tests/,$(PART))

# Lambda runs 3.13. Each has an environment of its own, with the same versions of all libraries.
PYTHONS := 3.11 3.12 3.13 3.14
.PHONY: test-pythons
test-pythons:  ## Run the unit tests by each of Python 3.11 to 3.14 that is installed (PYTHONS=3.13 PART=unit/artifact)
	@found=; for version in $(PYTHONS); do \
	  python$$version -c "" 2>/dev/null || { echo "python$$version is not installed: not tested"; continue; }; \
	  found="$$found $$version"; echo "Python $$version:"; \
	  $(MAKE) --no-print-directory setup VENV=.venv-$$version PYTHON=python$$version || exit; \
	  PYTHONDONTWRITEBYTECODE= .venv-$$version/bin/python -m pytest -n auto $(addprefix tests/,$(or $(PART),unit)) || exit; \
	done; test -n "$$found" || { echo "None of Python $(PYTHONS) is installed" >&2; exit 1; }

.PHONY: lint
lint: setup  ## Check style, who imports whom, and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@told=$$($(BIN)/lint-imports --no-cache --no-logo 2>&1) || { echo "$$told"; exit 1; }
	@$(BIN)/mypy

.PHONY: format
format: setup  ## Bring the code into shape
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: coverage
coverage: setup  ## Write docs/coverage.md: every field of SageMaker's calls, how it is reached, and its test
	@$(BIN)/python -m tests.support.coverage

.PHONY: bench
bench: setup  ## Measure: inspection against bare inflate and the usual way, latency against a bare chain, imports, bundle
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: load
load: setup  ## Upload, decide and validate a thousand at once while AWS throttles (ARGS="--small 20 --large 200")
	@$(BIN)/python -m benchmarks.load $(ARGS)

# HEAVY=1 has PyTorch, TensorFlow and other scanners too, in an environment of their own; ATTACK_PYTHONS names other ones.
SECONDS := 3600
HEAVY_PYTHON := $(if $(HEAVY),.attack-venv/bin/python)
.PHONY: attack
attack: setup $(if $(HEAVY),.attack-venv/ready)  ## Attack the inspection with disguised code for an hour (SECONDS=60 HEAVY=1 ARGS="--seed 1")
	@$(BIN)/python -m attack --seconds $(SECONDS) $(addprefix --python ,$(HEAVY_PYTHON) $(ATTACK_PYTHONS)) $(ARGS)

.attack-venv/ready: requirements/attack.txt
	@test -x .attack-venv/bin/python || $(PYTHON) -m venv .attack-venv
	@echo "Setting up .attack-venv (once; several GB)"
	@.attack-venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements/attack.txt
	@touch $@

.PHONY: sweep
sweep: setup  ## Let each fault become of each call to AWS, from upload to retirement (ARGS="--only CreateModel --first")
	@$(BIN)/python -m tests.faults $(ARGS)

.PHONY: corpus
corpus: setup  ## Inspect what libraries write, with every estimator of older ones (VERSIONS="0.20.4 keras-2" of those, or all)
	@$(BIN)/python -m tests.corpus.environments $(VERSIONS)

.PHONY: invoke
invoke: setup .sam-venv/ready  ## Run FUNCTION on EVENT in a container of Lambda's (FUNCTION=RegisterModel EVENT=s3_model_uploaded)
	@$(BIN)/python -m local.invoke.invoke "$(FUNCTION)" "$(EVENT)" $(if $(PORT),--port $(PORT))

# The SAM CLI's dependencies conflict with the project's own.
.sam-venv/ready: requirements/sam.txt
	@test -x .sam-venv/bin/python || $(PYTHON) -m venv .sam-venv
	@echo "Setting up .sam-venv (once)"
	@.sam-venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements/sam.txt
	@touch $@

.PHONY: synth
synth: setup  ## Write the CloudFormation template to cdk.out (CONTEXT="-c name=value ...")
	@$(CDK) synth --quiet $(CONTEXT) && echo "cdk.out/$(STACK).template.json"

.PHONY: diff
diff: setup  ## Show what a deployment would change in AWS
	@$(CDK) diff $(CONTEXT)

.PHONY: deploy
deploy: setup  ## Deploy to the AWS account and region of your credentials (CONTEXT="-c name=value ...")
	@$(CDK) deploy $(STACK) $(CONTEXT)

.PHONY: lock
lock:  ## Resolve every dependency anew, with hashes and without download addresses
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url --no-annotate --no-header --prerelease=if-necessary-or-explicit --quiet --output-file requirements/dev.txt
	.venv-lock/bin/uv pip compile pyproject.toml --extra functions --constraint requirements/dev.txt --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements/functions.txt
	echo aws-sam-cli | .venv-lock/bin/uv pip compile - --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements/sam.txt
	.venv-lock/bin/uv pip compile requirements/attack.in --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements/attack.txt
	rm -rf .venv-lock

.PHONY: clean
clean:  ## Remove everything that was made
	rm -rf .venv .venv-* .sam-venv .attack-venv node_modules cdk.out build *.egg-info
