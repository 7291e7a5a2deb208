PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
HOST ?= 127.0.0.1
PORT ?= 8000
UI_PORT ?= 8501

.DEFAULT_GOAL := help

.PHONY: help
help: ## Say what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("pawsight needs Python 3.10 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

# What is compiled when pawsight is installed.
COMPILED := hatch_build.py $(wildcard src/pawsight/*/*.c)

$(VENV)/.serve: pyproject.toml $(COMPILED) $(VENV)/.created
	$(PIP) install --quiet --editable '.[ui,openvino]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(COMPILED) $(VENV)/.created
	$(PIP) install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	@# On all cores, which pip does not; what a package carries for other Pythons is left as it is.
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@touch $@ $(VENV)/.serve

.PHONY: serve
serve: $(VENV)/.serve ## Start the service (PORT=8000) and the page (UI_PORT=8501)
	@echo "service: http://$(HOST):$(PORT)/docs    page: http://$(HOST):$(UI_PORT)    stop: Ctrl-C"
	@$(BIN)/pawsight serve --host $(HOST) --port $(PORT) & api=$$!; \
	$(BIN)/pawsight ui --port $(UI_PORT) --api http://$(HOST):$(PORT) & ui=$$!; \
	trap 'exit 0' INT TERM; trap 'trap "" INT TERM; kill $$api $$ui 2>/dev/null; wait' EXIT; \
	while kill -0 $$api 2>/dev/null && kill -0 $$ui 2>/dev/null; do sleep 1; done; \
	echo "one of the two has ended, so the other is stopped too"; exit 1

.PHONY: test
test: lint ## Run every check and every test
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

.PHONY: lint
lint: $(VENV)/.dev ## Run ruff, mypy --strict and the contracts between packages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --num-workers auto
	$(BIN)/lint-imports

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Send 100,000 hostile requests to a service
	PAWSIGHT_FUZZ=100000 $(BIN)/python -m pytest -s tests/fuzz

.PHONY: container-test
container-test: ## Build the images without an engine, start each and ask it (root, buildah, debootstrap)
	deployment/docker/test.sh

build/docs/node_modules/onnxruntime-web:
	npm install --prefix build/docs --no-audit --no-fund --ignore-scripts --silent onnxruntime-web@1.30.0

.PHONY: docs
docs: $(VENV)/.dev build/docs/node_modules/onnxruntime-web ## Build the documentation with its live demo (build/site), and try it in a browser
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	$(BIN)/python -m pytest tests/docs

DATA ?= ../shared/data
REPORT := src/pawsight/ui/report.json

# What the base install runs networks by. PROVIDER=openvino measures the other.
PROVIDER ?= cpu

.PHONY: figures
figures: $(VENV)/.dev ## Measure the models on the test pictures (DATA=…), for the README and the page
	$(BIN)/python scripts/tables.py $(DATA) build/tables
	cd build && PAWSIGHT_PROVIDER=$(PROVIDER) $(abspath $(BIN))/pawsight evaluate --labels tables/test.csv --images $(abspath $(DATA)) \
	  --model auto --model custom --model pretrained --mistakes none --json report.json
	mv build/report.json $(REPORT)
	$(BIN)/python scripts/figures.py $(REPORT) README.md

.PHONY: dist
dist: $(VENV)/.dev ## Build the wheel, the sdist and the bill of materials (dist/)
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist
	$(BIN)/python scripts/sbom.py dist/pawsight.cdx.json

PYTHONS ?= python3
.PHONY: wheel-test
wheel-test: dist ## Install the wheel into an empty environment of each Python (PYTHONS=…), and classify without network
	scripts/wheel_test.sh dist/pawsight-*.whl $(PYTHONS)

.PHONY: dev
dev: $(VENV)/.dev ## Install everything for working on pawsight, hooks included
	$(BIN)/pre-commit install

.PHONY: clean
clean: ## Remove the environment and what tools leave behind
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
