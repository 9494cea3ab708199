# Two commands do all set-up: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
OUT    ?= retrospan-demo

.PHONY: help demo test check format lint types layers wheel bench golden samples clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): requirements-dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $(STAMP)

demo: $(STAMP)  ## load, explain, replay and write up a recorded payment incident
	$(BIN)/retrospan demo --out $(OUT)

test: $(STAMP)  ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: format lint types layers test wheel  ## everything CI checks

format: $(STAMP)  ## formatting is as ruff writes it
	$(BIN)/ruff format --check .

lint: $(STAMP)  ## ruff's chosen rules
	$(BIN)/ruff check .

types: $(STAMP)  ## mypy strict, tests included
	$(BIN)/mypy

layers: $(STAMP)  ## imports go downwards only
	$(BIN)/lint-imports

wheel: $(STAMP)  ## build the wheel, install it in an empty environment, run the demo elsewhere
	$(BIN)/python scripts/wheel_smoke.py

bench: $(STAMP)  ## measure speed, as ratios within one run, at small sizes (BENCH=--full for all)
	$(BIN)/python -P scripts/bench.py $(BENCH)

golden: $(STAMP)  ## rewrite the golden files; read the diff before committing it
	RETROSPAN_GOLDEN=rewrite $(BIN)/python -m pytest -q -k golden

samples: $(STAMP)  ## record the sample incidents again (about twelve minutes, real processes)
	$(BIN)/python sample_traces/services/record.py

clean:  ## remove what was built
	rm -rf build dist $(OUT)
