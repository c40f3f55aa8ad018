# make demo    diagnose a real fault in the lab, in a virtual environment of its own
# make test    run all tests against real servers, in a virtual environment of its own
# make check   what CI runs besides: formatting, lint, types, layers
# make bench   the benchmarks, with their figures
# make wheel   the package as files for pip install and for a release, in dist/
# make lock    requirements/*.txt anew, after a change of dependencies in pyproject.toml; what still fits stays as it is
# make upgrade requirements/*.txt anew, with the newest version of everything
# make newest  run all tests with the newest versions that pyproject.toml allows, whatever the lock says
# make lowest  run all tests with the lowest versions that pyproject.toml allows
# make random  the property tests with random seeds; a failure prints the example to be kept in the test
# make kills   500 commands killed with SIGKILL at random moments, and what was lost or told twice (some minutes; KILLS=500 SEED=…)
# make leaks   sixty secrets in every form behind every door of a run, and how many came out (some minutes)
# make mutants small mistakes in the core, one at a time, and how many of them the tests find (an hour); MUTANTS=path/of/module.py
# make diagnosis-table   inject every fault of the lab, diagnose it, and write docs/diagnosis.md (some minutes)
# make docs    the documentation, as a site in site/
# make reference         write docs/reference anew from the code
# make recordings        the same, and keep each run in examples/recordings (some minutes)

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
FAULT ?= slow_queries
JOBS ?= 2
RANDOM_TESTS ?= tests/property tests/unit tests/fuzz
TESTS ?= tests
MUTANTS ?=
DEMO := .demo
VENV := .venv
NEWEST := .venv-newest
LOWEST := .venv-lowest
MUTATED := .venv-mutants
LOCKER := .venv-lock
PIP := bin/python -m pip install --quiet --disable-pip-version-check
FREEZE := bin/python -m pip freeze --disable-pip-version-check --exclude-editable --exclude pip --exclude setuptools
PYTEST := bin/python -m pytest -n $(JOBS) --dist worksteal --max-worker-restart 2

.PHONY: demo test check bench wheel lock upgrade newest lowest random kills leaks mutants golden docs reference diagnosis-table recordings clean
.DEFAULT_GOAL := demo

demo: $(DEMO)/installed
	@echo "+ runbook run high-latency --lab $(FAULT)"
	@status=0; RUNBOOK_STATE=$(DEMO)/state $(DEMO)/bin/runbook run high-latency --lab $(FAULT) --no-input || status=$$?; \
	  echo; \
	  case $$status in \
	    0) echo "The runbook ended with exit code 0: healthy." ;; \
	    1) echo "The runbook ended with exit code 1: it found a problem." ;; \
	    3) echo "The runbook ended with exit code 3: inconclusive." ;; \
	    *) echo "The runbook ended with exit code $$status."; exit $$status ;; \
	  esac
	@echo "More faults: $(DEMO)/bin/runbook lab faults. Another demo: make demo FAULT=lock_contention"

test: $(VENV)/installed
	$(VENV)/$(PYTEST)

# What the tests find may depend on the seed; the gate must not. Here the seeds are random.
random: $(VENV)/installed
	HYPOTHESIS_PROFILE=random $(VENV)/bin/python -m pytest -n $(JOBS) --dist worksteal $(RANDOM_TESTS)

kills: $(VENV)/installed
	KILLS=$(or $(KILLS),500) $(VENV)/bin/python -m pytest -rP tests/integration/kills/test_kills.py

leaks: $(VENV)/installed
	LEAKS=all $(VENV)/bin/python -m pytest -n $(JOBS) -rP tests/property/test_leaks.py -k planted

# One process, which yields to all others: it takes long anyhow.
mutants: $(MUTATED)/installed
	nice -n 19 $(MUTATED)/bin/python -m tests.mutants $(MUTANTS)

# Where the newest versions are those of the lock, `make test` says all that this could.
newest: $(VENV)/installed
	rm -rf $(NEWEST)
	$(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/$(PIP) --upgrade --editable '.[lab,dev]' $$(grep -v '^#' requirements/build.in)
	@$(VENV)/$(FREEZE) | sort > $(NEWEST)/locked; $(NEWEST)/$(FREEZE) | sort > $(NEWEST)/newest
	@if diff $(NEWEST)/locked $(NEWEST)/newest; then echo "The lock has the newest versions of everything: nothing else to test."; \
	  else $(NEWEST)/$(PYTEST) $(TESTS); fi

lowest: $(LOWEST)/installed
	$(LOWEST)/$(PYTEST) $(TESTS)

wheel: $(VENV)/installed
	$(VENV)/bin/python -m hatchling build --directory dist --target wheel --target sdist
	@echo "Install it: pip install $$(ls -t dist/runbook_engine-*.whl | head -1)"

lock: $(LOCKER)/bin/uv
	$(call lock,)

upgrade: $(LOCKER)/bin/uv
	$(call lock,--upgrade)

check: $(VENV)/installed
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy src probes tests
	$(VENV)/bin/lint-imports

bench: $(VENV)/installed
	$(VENV)/bin/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only --benchmark-columns=min,median,max,rounds

diagnosis-table: $(VENV)/installed
	$(VENV)/bin/runbook lab diagnose --jobs $(JOBS) --format markdown -o docs/diagnosis.md

recordings: $(VENV)/installed
	$(VENV)/bin/runbook lab diagnose --jobs $(JOBS) --format markdown -o docs/diagnosis.md --record examples/recordings
	$(VENV)/bin/python -m tests.recordings.edges examples/recordings

golden: $(VENV)/installed
	$(VENV)/bin/python -m pytest --update-golden tests

# A failure says which page lacks what: a link without an end, a page that no list leads to.
docs: $(VENV)/installed
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict --quiet
	@echo "Look at it: $(VENV)/bin/python -m http.server --bind 127.0.0.1 --directory site"

reference: $(VENV)/installed
	$(VENV)/bin/python -m tests.docs.reference

clean:
	rm -rf site $(DEMO) $(VENV) $(NEWEST) $(LOWEST) $(MUTATED) $(LOCKER) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks dist

# What is installed is pinned, with hashes, by a file in requirements/: a release of somebody else changes nothing here.
# The package itself is built by what stands there too, hence no build isolation.
$(DEMO)/installed: requirements/lab.txt pyproject.toml $(shell find src probes runbooks -name '*.py' -o -name '*.yaml' -o -name '*.j2' -o -name '*.md')
	@$(call need_python)
	@echo "Installing into $(DEMO) (the first time takes a minute) ..."
	@test -x $(DEMO)/bin/python || $(PYTHON) -m venv $(DEMO)
	@$(DEMO)/$(PIP) --require-hashes --requirement requirements/lab.txt
	@$(DEMO)/$(PIP) --no-deps --no-build-isolation .
	@touch $@

$(VENV)/installed: requirements/dev.txt pyproject.toml
	@$(call need_python)
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/$(PIP) --require-hashes --requirement requirements/dev.txt
	$(VENV)/$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(LOWEST)/installed: requirements/lowest.txt pyproject.toml
	@$(call need_python)
	@test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/$(PIP) --require-hashes --requirement requirements/lowest.txt
	$(LOWEST)/$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(MUTATED)/installed: requirements/dev.txt requirements/mutants.txt pyproject.toml
	@$(call need_python)
	@test -x $(MUTATED)/bin/python || $(PYTHON) -m venv $(MUTATED)
	$(MUTATED)/$(PIP) --require-hashes --requirement requirements/dev.txt
	$(MUTATED)/$(PIP) --require-hashes --requirement requirements/mutants.txt
	$(MUTATED)/$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# uv resolves for every Python and platform at once, which pip cannot; only whoever changes the lock needs it.
$(LOCKER)/bin/uv:
	@$(call need_python)
	$(PYTHON) -m venv $(LOCKER)
	$(LOCKER)/$(PIP) 'uv>=0.5'

UV = $(LOCKER)/bin/uv pip compile --quiet --universal --python-version 3.11
RESOLVE = $(UV) pyproject.toml
LOCK = $(RESOLVE) requirements/build.in --generate-hashes --custom-compile-command "make lock" --extra lab

# The lowest versions are those of what users install; the tools of the tests are new there too.
define lock
$(LOCK) $(1) --output-file requirements/lab.txt
$(LOCK) $(1) --extra dev --constraint requirements/lab.txt --output-file requirements/dev.txt
$(UV) requirements/mutants.in --generate-hashes --custom-compile-command "make lock" $(1) --constraint requirements/dev.txt --output-file requirements/mutants.txt
$(RESOLVE) --upgrade --resolution lowest-direct --extra lab --extra notify --extra lsp --no-header --no-annotate --output-file $(LOCKER)/lowest.txt
$(LOCK) $(1) --extra dev --constraint $(LOCKER)/lowest.txt --output-file requirements/lowest.txt
endef

define need_python
test -n "$(PYTHON)" || { echo "runbook-engine needs Python 3.11 or later; install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
endef
