# `make` prepares everything and makes the report of the default tier; `make real` of the
# real tier; `make test` runs the tests; `make lint` checks style and types; `make unlock`
# frees the folder after a Snakemake that was killed.
PYTHON ?= python3
CORES ?= $(shell $(PYTHON) -c "import os; print(os.cpu_count())")
BIN := .venv/bin
# Rules call `python`, which must be the one of .venv.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: default real test lint bench unlock
default: .venv/installed
	snakemake --cores $(CORES)
	@echo "The page: file://$(CURDIR)/results/default/report/index.html"

real: .venv/installed
	snakemake --cores $(CORES) --configfile config/real.yaml
	@echo "The page: file://$(CURDIR)/results/real/report/index.html"

test: .venv/installed
	python -m pytest -n $(CORES) --maxprocesses 8 --dist loadfile

unlock: .venv/installed
	snakemake --unlock

bench: .venv/installed
	OMP_NUM_THREADS=1 python -m pytest tests/benchmarks/bench_*.py \
		--benchmark-json results/benchmarks.json

lint: .venv/installed
	ruff check
	ruff format --check
	snakefmt --check Snakefile workflow examples
	snakemake --lint
	mypy

.venv/installed: requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes \
		-r requirements.lock
	touch $@
