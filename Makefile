# Every command sets up what it needs first; a second run finds all there and starts at once.

PYTHON ?= python3
SET_UP := $(PYTHON) scripts/set_up.py
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
RUN := $(BIN)/python
ON_A_SCREEN := $(RUN) -m napari_cellstage.screen
ARGS ?=

.PHONY: help demo test lint bench docs clean

help:
	@echo "make demo    the main job on the built-in sample, in a window (ARGS=--headless: without one)"
	@echo "make test    the whole test suite, two files at a time (ARGS='-n 0 tests/core': in one process, some of it)"
	@echo "make lint    style, types, import floors, plugin manifest"
	@echo "make bench   the table of speed and accuracy figures (ARGS='--quick' or ARGS='--only overlay')"
	@echo "make docs    all pictures of README and docs, and the page about the command line, made anew"

demo:
	@$(SET_UP) --window
	@$(BIN)/napari-cellstage demo $(ARGS)

test:
	@$(SET_UP) --group test --window
	@QT_API=$${QT_API:-pyqt5} $(ON_A_SCREEN) -m pytest -n 2 --dist loadfile $(ARGS)

lint:
	@$(SET_UP) --group test --group lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate napari_cellstage

bench:
	@$(SET_UP) --group bench --window
	@$(ON_A_SCREEN) -m benchmarks $(ARGS)

docs:
	@$(SET_UP) --window
	@$(ON_A_SCREEN) scripts/screenshots.py
	@$(RUN) -m typer napari_cellstage.cli utils docs --name napari-cellstage --output docs/command-line.md

clean:
	rm -rf .venv demo-output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
