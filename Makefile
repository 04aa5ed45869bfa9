# Everything happens in .venv, from the locked versions. Needs Python >= 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
WORKERS ?= 3# test processes of `make test`: one more than cores, because a part of its time is waiting for servers
unexport PYTHONDONTWRITEBYTECODE # or every process compiles and rewrites every module anew
# `make run model=rf` sets a variable of make, and would run the defaults without a word.
empty :=
OVERRIDES := $(filter-out PYTHON=% VENV=% BIN=% ARGS=% WORKERS=%,$(subst \$(empty) ,_,$(MAKEOVERRIDES)))
$(if $(OVERRIDES),$(error overrides go into ARGS: make run ARGS="$(OVERRIDES)"))

.PHONY: help run test test-fast lint types contracts bench bench-scale bench-sweep bench-serve bench-records docs site lock clean slow-tests
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "make %-13s %s\n", $$1, $$2}'

# uv installs in seconds and compiles the bytecode, which halves every later start; pip fetches it.
$(BIN)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mlrunner needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv==0.13.9
	VIRTUAL_ENV="$(abspath $(VENV))" $(BIN)/uv pip install --quiet --compile-bytecode -r requirements.lock
	VIRTUAL_ENV="$(abspath $(VENV))" $(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@

$(BIN)/.docs: docs/requirements.lock $(BIN)/.installed
	VIRTUAL_ENV="$(abspath $(VENV))" $(BIN)/uv pip install --quiet -r docs/requirements.lock
	@touch $@

run: $(BIN)/.installed ## the main job on the embedded data; ARGS="model=rf" to choose
	$(BIN)/python -m mlrunner $(ARGS)

test: $(BIN)/.installed ## every test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: $(BIN)/.installed ## the tests that take seconds
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile \
		-m "not slow and not services and not docker and not browser" $(ARGS)

slow-tests: ## add what takes long in test-fast to tests/slow_tests.txt
	$(MAKE) --no-print-directory test-fast ARGS="--junitxml=$(VENV)/fast.xml"
	$(BIN)/python -m tests.support.slow_tests $(VENV)/fast.xml

lint: $(BIN)/.installed ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(BIN)/.installed ## mypy, strict
	$(BIN)/mypy

contracts: $(BIN)/.installed ## import-linter: who may import whom
	$(BIN)/lint-imports

bench: $(BIN)/.installed ## benchmarks/run.py: ours beside scikit-learn and MLflow by hand
	$(BIN)/python benchmarks/run.py $(ARGS)

bench-sweep: $(BIN)/.installed ## benchmarks/sweep.py: our search beside Optuna, Hydra, Ray Tune and ZenML by hand
	$(BIN)/python benchmarks/sweep.py $(ARGS)

bench-scale: $(BIN)/.installed ## benchmarks/scale.py: trials on this machine's pool, on Dask and on Ray
	$(BIN)/python benchmarks/scale.py $(ARGS)

bench-serve: $(BIN)/.installed ## benchmarks/serve.py: our server beside MLflow's and BentoML
	$(BIN)/python benchmarks/serve.py $(ARGS)

bench-records: $(BIN)/.installed ## benchmarks/records.py: looking back over 10,000 runs beside MLflow's client
	$(BIN)/python benchmarks/records.py $(ARGS)

docs: $(BIN)/.installed ## the documentation's pictures, from real runs
	$(BIN)/python docs/pictures.py

site: $(BIN)/.docs ## the documentation, in build/site; a dead link fails
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -d build/doctrees docs build/site
	@echo "build/site/index.html"

lock: $(BIN)/.installed ## resolve the lock files again, for every supported Python
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --extra dev --upgrade \
		--no-emit-index-url --no-header --no-annotate -o requirements.lock
	$(BIN)/uv pip compile --group docs --universal --python-version 3.11 --upgrade -c requirements.lock \
		--no-emit-index-url --no-header --no-annotate -o docs/requirements.lock
	echo "ray>=2.54" | $(BIN)/uv pip compile - --universal --python-version 3.11 --upgrade -c requirements.lock \
		--no-emit-index-url --no-header --no-annotate -o .ci/ray.lock

clean: ## remove the environment, the stores and every run
	rm -rf $(VENV) build .mlrunner .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find multirun -mindepth 1 ! -name .gitkeep -delete
