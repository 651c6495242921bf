# make run    the whole loop with simulated models: no key, no network, no configuration
# make test   the test suite (test-server, test-slow, test-local: what needs a server, minutes, or a real model)
# make check  format, lint, types, import floors
# make bench  what docs/performance.md and docs/method.md claim, measured here; an hour and more on a quiet machine
# make docs   write docs/commands.md and docs/settings.md from the code
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: run test test-server test-slow test-local bench docs check format clean

run: $(STAMP)
	$(BIN)/evolve run --iterations 50 --workers 8

test: $(STAMP)-test
	$(BIN)/pytest -n auto -m "not server and not slow and not local"

# real sockets, real kills: a local server that speaks the OpenAI protocol; some minutes
test-server: $(STAMP)-test
	$(BIN)/pytest -m server -s

# the real small model: installs its runtime, fetches the weights (130 MB in all), asks it and kills it
test-local: $(STAMP)-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[local]'
	$(BIN)/evolve models fetch
	$(BIN)/pytest -m local -s

# full disks, failing writes, long kills: some minutes
test-slow: $(STAMP)-test
	$(BIN)/pytest -m slow

# each prints its figures, with its claims and whether they were kept
bench: $(STAMP)-test
	-$(BIN)/python bench/gate.py
	-$(BIN)/python bench/selection.py
	-$(BIN)/python bench/start_up.py
	-$(BIN)/python bench/host_cpu.py
	-$(BIN)/python bench/storage.py
	-$(BIN)/python bench/long_run.py
	-$(BIN)/python bench/throughput.py --slots 8 --latency 0.2 --workers 8
	-$(BIN)/python bench/throughput.py --slots 8 --latency 0.2 --slow 0.1 --workers 8
	-$(BIN)/python bench/throughput.py --slots 64 --latency 1 --workers 24

check: $(STAMP)-test $(STAMP)-check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)-check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP)
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv build dist

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

$(STAMP): $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(STAMP)-test: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

$(STAMP)-check: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[check]'
	touch $@
