# make demo    diagnose a real fault in the lab, in a virtual environment of its own
# make test    run all tests against real servers, in a virtual environment of its own
# make check   what CI runs besides: formatting, lint, types, layers
# make bench   the benchmarks, with their figures
# make diagnosis-table   inject every fault of the lab, diagnose it, and write docs/diagnosis.md (some minutes)
# make docs    the documentation, as a site in site/
# make reference         write docs/reference anew from the code
# make recordings        the same, and keep each run in examples/recordings (some minutes)

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
FAULT ?= slow_queries
JOBS ?= 2
DEMO := .demo
VENV := .venv

.PHONY: demo test check bench golden docs reference diagnosis-table recordings clean
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
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist worksteal --max-worker-restart 2

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
	rm -rf site $(DEMO) $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks dist

$(DEMO)/installed: pyproject.toml $(shell find src probes runbooks -name '*.py' -o -name '*.yaml' -o -name '*.j2')
	@$(call need_python)
	@echo "Installing into $(DEMO) (the first time takes a minute) ..."
	@test -x $(DEMO)/bin/python || $(PYTHON) -m venv $(DEMO)
	@$(DEMO)/bin/python -m pip install --quiet --disable-pip-version-check '.[lab]'
	@touch $@

$(VENV)/installed: pyproject.toml
	@$(call need_python)
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[lab,dev]'
	@touch $@

define need_python
test -n "$(PYTHON)" || { echo "runbook-engine needs Python 3.11 or later; install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
endef
