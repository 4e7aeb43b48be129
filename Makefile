# Every target does its own set-up. `make run` and `make test` are all a newcomer needs.
PYTHON ?= python3
DURATION ?= 90
SEED ?= 1
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --require-hashes --no-deps --only-binary :all:
# A dot a package, so that a minute of installing does not look like a standstill.
DOTS := awk '/^Collecting/ { printf "."; fflush() } END { print "" }'

.PHONY: run test check bench soak format golden lock clean help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

run: $(VENV)/.installed  ## start the bot: web console, and Slack and Discord where .env holds their tokens
	@exec $(BIN)/bot run

test: $(VENV)/.installed-dev  ## run every test
	$(BIN)/python -m pytest -n 2 $(ARGS)

bench: $(VENV)/.installed  ## measure delays, rate, CPU and memory against local doubles (ARGS=--quick)
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(VENV)/.installed-dev  ## break something every 5 s for DURATION seconds; the last line is JSON (SEED=1)
	@$(BIN)/python -m tests.soak --seconds $(DURATION) --seed $(SEED) $(ARGS)

check: $(VENV)/.installed-dev  ## style, types, the walls between rooms, the sizes of the house
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -p no:randomly tests/test_house.py

format: $(VENV)/.installed-dev  ## put the style right
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

golden: $(VENV)/.installed-dev  ## write the golden files of Slack and Discord anew; read what changed
	$(BIN)/python -m tests.adapters.golden

lock:  ## pin the newest versions anew, by hash (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --upgrade --quiet --output-file requirements.lock
	cat deploy/model.lock >> requirements.lock
	uv pip compile --group dev --universal --python-version 3.11 --generate-hashes --constraint requirements.lock \
	  --no-emit-index-url --no-annotate --no-header --upgrade --quiet --output-file requirements-dev.lock

clean:  ## remove what was installed (the data folder stays)
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else \
	  f"Frontdesk needs Python 3.11 or newer; {sys.executable} is {v[0]}.{v[1]}. Try: make run PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Making a virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing Frontdesk and its small model, pinned by hash (one to two minutes, once) …"
	@rm -f $@ $@.part && { $(INSTALL) -r requirements.lock && touch $@.part; } | $(DOTS) && test -f $@.part
	@pwd > $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/frontdesk.pth
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m bot "$$@"\n' > $(BIN)/bot && chmod +x $(BIN)/bot
	@mv $@.part $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@echo "Installing what the tests need …"
	@rm -f $@ && { $(INSTALL) -r requirements-dev.lock && touch $@; } | $(DOTS) && test -f $@
