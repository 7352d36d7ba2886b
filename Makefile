# Two commands on a fresh machine with Python 3.11, git and make: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
WORKERS ?= 2

.PHONY: demo test coverage parity clients check format soak schemas lock clean

.venv/installed: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: .venv/installed ## the whole story on a local sandbox org
	$(BIN)/dunwell demo

test: .venv/installed ## all tests
	$(BIN)/python -m pytest -q -n $(WORKERS)

coverage: .venv/installed ## the core under its own tests, every branch
	$(BIN)/coverage run -m pytest -q -n 0 tests/unit/core_changes tests/unit/core_judge tests/unit/core_ledger tests/unit/mapping/test_wide.py tests/scenario/decide
	$(BIN)/coverage report --fail-under=100

tests/parity/node_modules/installed: tests/parity/package.json tests/parity/package-lock.json
	npm ci --prefix tests/parity --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

clients: tests/parity/node_modules/installed ## jsforce, the sf command line and a Node for them; needs npm

parity: .venv/installed clients ## the local org held against clients that are not ours
	$(BIN)/python -m pytest -q -n $(WORKERS) tests/parity

check: .venv/installed ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/installed ## put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

soak: .venv/installed ## kill -9 at 200 random points of the pipeline
	SOAK_POINTS=200 $(BIN)/python -m pytest -q -m soak -n $(WORKERS)

schemas: .venv/installed ## JSON Schemas and reference pages of the files admins edit, from the models that read them
	$(BIN)/python -c 'from pathlib import Path; from connector.mapping.schemas import SCHEMAS, text; [Path(f"mappings/schema/{name}.json").write_text(text(name)) for name in SCHEMAS]'
	$(BIN)/python -c 'from pathlib import Path; from connector.mapping.reference import PAGES; [Path(f"docs/{name}.md").write_text(page()) for name, page in PAGES.items()]'

lock: .venv/installed ## pin all dependencies again, with hashes; needs uv; UPGRADE=--upgrade takes newer releases
	uv pip compile -q $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --extra postgres pyproject.toml -o requirements.txt
	uv pip compile -q $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --extra sandbox --extra dev pyproject.toml -o requirements-dev.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
