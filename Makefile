# Burgernet: `make demo` shows the main job, `make test` proves it. Both install what they need (as root, or with sudo).
.PHONY: help demo test bench lint format lock clean
.DEFAULT_GOAL := help
BIN := .venv/bin
ARGS ?=
ONLY ?=
# How many tests run side by side; most of them wait for calls to take their time.
WORKERS ?= 5

help: ## What can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: ## Run the main job here, real calls included; ARGS=--once ends by itself
	@scripts/prepare run
	@$(BIN)/burgernet demo $(ARGS)

test: ## Run all tests; ARGS goes to pytest
	@scripts/prepare dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

bench: ## Measure the product beside its references; ONLY=free-number for one bench, ARGS=--help for its options
	@scripts/prepare bench
	@$(BIN)/python -m bench $(ONLY) $(ARGS)

lint: ## What CI checks besides the tests: style, types, imports
	@scripts/prepare dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## Resolve the dependencies of pyproject.toml anew, with hashes (needs uv)
	uv pip compile --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--python-version 3.11 pyproject.toml -o requirements/run.txt
	uv pip compile --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--python-version 3.11 --extra dev pyproject.toml -o requirements/dev.txt

clean: ## Remove what was built here (not Asterisk, not the data in var/)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
