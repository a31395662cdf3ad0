# The commands of this project. `make` alone lists them; CI runs the same.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# Each of these folders is one package of the namespace vantage6.
PACKAGES := algorithms api broker client common models node sandbox server tools validation web workers
# What `make test` runs: a folder, a file, or one test (T=tests/node/test_spool.py::test_name).
T ?= tests
# These processes share all tests, file by file (tests/conftest.py); a part of the tests needs one.
# Half of the time of all tests is waiting: three use two cores better than two do.
PROCESSES ?= 3
PARALLEL = $(if $(filter tests,$(T)),--numprocesses=$(PROCESSES) --dist=loadscope --no-loadscope-reorder)
# Tests run in an order of chance that begins with SEED, and in that of the files without it.
ORDER = $(if $(SEED),-p randomly --randomly-seed=$(SEED),-p no:randomly)
# How many times as much as `make test` a campaign tries.
EFFORT ?= 20

##@ Try it

.PHONY: demo
demo: .venv/all ## run three data stations and a federated average (KEEP=1, IMAGE=, DATA=, INPUT=: see docs/start.md)
	@scripts/web.sh || echo "The web pages cannot be built; the demonstration has none."
	@$(BIN)/python -m examples.demo $(if $(KEEP),--keep) $(if $(IMAGE),--image '$(IMAGE)') \
		$(if $(DATA),--data '$(DATA)') $(if $(INPUT),--input '$(INPUT)')

.PHONY: demo-stop
demo-stop: .venv/all ## stop everything that uses the folder of the demonstration
	@$(BIN)/python -m examples.demo --stop

##@ Work on it

.PHONY: setup
setup: .venv/dev ## create .venv with everything a developer needs

.PHONY: test
test: .venv/dev ## run all tests, or T=path
	@scripts/debian-packages.sh
	@scripts/web.sh
	@$(BIN)/python -m pytest $(PARALLEL) $(ORDER) --durations=25 $(T)

.PHONY: campaign
campaign: .venv/dev ## try what is tried at random EFFORT=20 times as often as `make test`, for hours
	@scripts/debian-packages.sh
	@seed=$(or $(SEED),$$RANDOM); echo "V6_TEST_SEED=$$seed"; \
		V6_TEST_EFFORT=$(EFFORT) V6_TEST_SEED=$$seed $(BIN)/python -m pytest -p no:randomly \
		-m 'campaign or hypothesis' $(T)

.PHONY: coverage
coverage: .venv/dev ## run all tests and show which lines and branches none of them reaches
	@scripts/debian-packages.sh
	@scripts/web.sh
	@$(BIN)/python -m pytest $(ORDER) --cov --cov-report=term-missing:skip-covered $(T)

.PHONY: test-fast
test-fast: PROCESSES = 2
test-fast: .venv/dev ## run the tests that need no service, in an order of chance, or those of T=path
	@$(BIN)/python -m pytest $(PARALLEL) $(if $(SEED),$(ORDER)) -m 'not slow' $(T)

.PHONY: bare
bare: ## run C="make demo" in a bare Debian, as on a machine that nobody prepared (needs root)
	@scripts/bare-debian.sh $(if $(C),$(C),make demo)

.PHONY: lint
lint: .venv/dev ## check style, format and the layering of the packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@scripts/web.sh lint

.PHONY: format
format: .venv/dev ## format the code and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@scripts/web.sh format

# mypy does not see through the mapping of folders to packages; it gets a tree that shows them.
.PHONY: types
types: .venv/dev ## check the types
	@mkdir -p .typing/vantage6
	@ln -sfn $(foreach package,$(PACKAGES),../../$(package)) .typing/vantage6/
	@$(BIN)/mypy $(foreach package,$(PACKAGES),-p vantage6.$(package)) -p tests

.PHONY: docs
docs: .venv/dev ## build the documentation into docs/_build
	@$(BIN)/python -m sphinx --quiet -W -n --keep-going docs docs/_build
	@echo "docs/_build/index.html"

.PHONY: bench
bench: .venv/dev ## measure speed and memory
	@scripts/debian-packages.sh
	@$(BIN)/python -m benchmarks.run

.PHONY: web
web: ## build the web pages of a server into web/built; brings Node.js where it is missing
	@scripts/web.sh

.PHONY: images
images: .venv/all ## build the images of algorithms and of the nodes' side services
	@scripts/debian-packages.sh
	@scripts/build-images.sh
	@scripts/services-image.sh

##@ What it is built on

.PHONY: constraints
constraints: .venv/dev ## take the newest versions that setup.cfg allows into constraints.txt
	@scripts/constraints.sh

.PHONY: audit
audit: .venv/dev ## ask which packages of constraints.txt have known vulnerabilities
	@scripts/audit.sh

.PHONY: pins
pins: .venv/dev ## pin the images of compose.yaml to the digests that their registries give today
	@$(BIN)/python scripts/pin_images.py

##@ Release it

# The version that `make changelog` shows; `make release` builds the one of the code.
VERSION ?= next

.PHONY: changelog
changelog: .venv/dev ## show what the next release brings, from the files in changes/ (VERSION=)
	@$(BIN)/python -m towncrier build --draft --version $(VERSION)

.PHONY: release
release: .venv/dev ## build sdist and wheel into dist/, and try the wheel in a new environment
	@scripts/web.sh
	@$(BIN)/python scripts/release.py

##@ Tidy up

.PHONY: services-stop
services-stop: ## stop the private Docker engine that `make images` started
	@scripts/docker-engine.sh stop

.PHONY: clean
clean: ## remove what the other commands made in this folder
	@[ ! -e .demo/.vantage6-demonstration ] || rm -rf .demo
	@rm -rf .venv .typing docs/_build .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
		.ruff_cache .coverage* build *.egg-info web/node_modules web/built web/src/api/schema.d.ts
	@rm -f dist/vantage6-*.tar.gz dist/vantage6-*.whl
	@rmdir dist 2>/dev/null || true
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## list the commands
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The files say when which extra was installed; a developer has everything that a user has.
.venv/all: setup.cfg pyproject.toml constraints.txt
	@scripts/environment.sh all
	@touch $@

.venv/dev: setup.cfg pyproject.toml constraints.txt tests/algorithms/tables.txt
	@scripts/environment.sh dev
	@touch $@ .venv/all
