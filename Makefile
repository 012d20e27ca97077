# make setup | demo | test | lint | bench | docs — see README.md
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SAY := @printf '\033[1m%s\033[0m\n'


.PHONY: setup setup-dev system demo demo-once test lint bench docs fuzz lock clean
.DEFAULT_GOAL := setup

setup: $(VENV)/.run
setup-dev: $(VENV)/.dev

$(VENV)/.build: requirements/build.txt
	$(SAY) "[1/3] virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mailbot needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --progress-bar off -q --require-hashes -r requirements/build.txt
	@touch $@

$(VENV)/.run: $(VENV)/.build requirements/run.txt pyproject.toml
	$(SAY) "[2/3] locked dependencies (about 20 s the first time)"
	$(PIP) install --no-build-isolation --require-hashes -r requirements/run.txt | grep --line-buffered -E '^(Collecting|Installing|Successfully)' | cut -c1-160 || true
	$(SAY) "[3/3] mailbot itself: $(BIN)/mailbot"
	$(PIP) install -q --no-build-isolation --no-deps -e .
	@$(BIN)/mailbot --version
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(SAY) "[dev] test tools"
	$(PIP) install --no-build-isolation --require-hashes -r requirements/dev.txt | grep --line-buffered -E '^(Collecting|Installing|Successfully)' | cut -c1-160 || true
	@touch $@

# Servers and a browser that the tests start privately, on loopback, as Debian packages.
system:
	@./tests/install-system-packages

demo: setup
	$(BIN)/mailbot demo

# The demo without the pages afterwards: exit code 0 when every sample mail ended as it should.
demo-once: setup
	$(BIN)/mailbot demo --once

test: setup-dev system
	$(BIN)/python -m pytest

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev system
	$(BIN)/python -m bench

# atheris tries to break the reading of mails, two minutes each.
fuzz: setup-dev
	$(PIP) install -q --require-hashes -r requirements/fuzz.txt
	$(BIN)/python -m fuzz parse --seconds 120
	$(BIN)/python -m fuzz newest_text --seconds 120
	$(BIN)/python -m fuzz html_text --seconds 120

docs: setup-dev
	$(BIN)/python -m docs.generate

# Needs uv; writes the locked versions with their hashes.
lock:
	uv pip compile -q --no-emit-index-url --no-emit-find-links --generate-hashes --python-version 3.11 --universal --group build -o requirements/build.txt --custom-compile-command "make lock"
	uv pip compile -q --no-emit-index-url --no-emit-find-links --generate-hashes --python-version 3.11 --universal --extra postgresql --extra mysql pyproject.toml -o requirements/run.txt --custom-compile-command "make lock"
	uv pip compile -q --no-emit-index-url --no-emit-find-links --generate-hashes --python-version 3.11 --universal --extra postgresql --extra mysql --group dev pyproject.toml -c requirements/run.txt -o requirements/dev.txt --custom-compile-command "make lock"
	uv pip compile -q --no-emit-index-url --no-emit-find-links --generate-hashes --python-version 3.11 --universal --group fuzz -o requirements/fuzz.txt --custom-compile-command "make lock"

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis dist
