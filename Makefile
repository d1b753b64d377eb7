# Two commands matter: `make demo` and `make test`. Whatever they need, they install into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test pictures screenshots bench lint format install clean

demo: $(VENV)/.app
	@$(BIN)/mds-tui demo

test: $(VENV)/.dev $(VENV)/.sdk
	@$(BIN)/python -m pytest -n 2 $(TESTS)

# Paints the pictures of tests/tui/test_pictures.py anew; look at them before you keep them.
pictures: $(VENV)/.dev
	@MDS_RENEW_PICTURES=1 $(BIN)/python -m pytest -n 2 tests/tui/test_pictures.py

# Takes the pictures of README.md and docs/console.md anew, in about five minutes; look at them too.
screenshots: $(VENV)/.app
	@$(BIN)/python docs/make_screenshot.py

bench: $(VENV)/.bench $(VENV)/.peers
	@$(BIN)/python -m benchmarks $(BENCH)

lint: $(VENV)/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

install: $(VENV)/.app

clean:
	rm -rf $(VENV) .sdk-venvs .peer-venvs

$(VENV)/.pip: constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --upgrade pip
	@touch $@

$(VENV)/.app: $(VENV)/.pip pyproject.toml engine/pyproject.toml
	@echo "Installing mds-tui into $(VENV) ..." >&2
	@$(PIP) --editable './engine[simulator]' --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.app
	@$(PIP) --group dev
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@$(PIP) --group bench
	@touch $@

# Peers that are measured in environments of their own.
$(VENV)/.peers: $(VENV)/.pip $(wildcard benchmarks/peer-requirements/*.txt)
	@bash benchmarks/make_peer_venvs.sh
	@touch $@

# The official SDKs that cannot share an environment with each other.
$(VENV)/.sdk: $(VENV)/.pip $(wildcard tests/sdk-requirements/*.txt)
	@bash tests/make_sdk_venvs.sh
	@touch $@
