# `make` prepares everything and makes the report of the default tier; `make quick` a page
# of two models in minutes; `make real` of the real tier; `make test` runs the tests that
# take seconds each, `make test-slow` the others; `make lint` checks style and types;
# `make unlock` frees the folder after a Snakemake that was killed.
PYTHON ?= python3
CORES ?= $(shell PYTHONSAFEPATH= $(BIN)/python -m seqdis.cores)
BIN := .venv/bin
# Names a config file that is not UTF-8, for which Snakemake ends in a traceback.
CHECK := python -m seqdis ls tiers > /dev/null --configfile
VERSION := 'import sys; print(sys.version_info[:2])'
# Rules call `python`, which must be the one of .venv.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# `python -m` has to find the folders of this repository, and docstrings are help texts.
unexport PYTHONSAFEPATH PYTHONOPTIMIZE

.PHONY: default quick real test test-slow lint bench unlock
default: .venv/installed
	snakemake --cores $(CORES)
	@echo "The page: file://$(CURDIR)/results/default/report/index.html"

quick: .venv/installed
	@$(CHECK) config/quick.yaml
	snakemake --cores $(CORES) --configfile config/quick.yaml
	@echo "The page: file://$(CURDIR)/results/quick/only/models=unordered_vae+dsae/report/index.html"

real: .venv/installed
	@$(CHECK) config/real.yaml
	snakemake --cores $(CORES) --configfile config/real.yaml
	@echo "The page: file://$(CURDIR)/results/real/report/index.html"

test: .venv/installed
	python -m pytest -m "not slow" -n $(CORES) --maxprocesses 8 --dist loadfile

test-slow: .venv/installed
	python -m pytest -m slow -n $(CORES) --maxprocesses 8 --dist loadfile

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
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or \
		sys.exit("error: $(PYTHON) is Python %d.%d. Expected 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12" % v)'
	@# A .venv that another Python left behind is made again.
	test "$$($(BIN)/python -c $(VERSION) 2>&1)" = "$$($(PYTHON) -c $(VERSION))" || \
		$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes \
		-r requirements.lock
	touch $@
