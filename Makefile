# `make` alone lists what there is.

SWEEPD := target/release/sweepd
DEMO   := $(SWEEPD) --home .demo
# With cargo-nextest where it is installed, else with cargo's own test runner.
TEST   := $(shell cargo nextest --version >/dev/null 2>&1 && echo nextest run || echo test)

.PHONY: help setup build demo test test-e2e simulate kill fuzz-api bench bench-search bench-train lint cuda clean

help: ## List the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1|/' | column -t -s '|'

setup: ## Fetch libtorch for the CPU into .libtorch (once; 544 MB)
	@scripts/setup

cuda: ## The same with the GPU libraries
	@scripts/setup --cuda

build: setup ## Build sweepd and sweepd-worker
	cargo build --release

demo: build ## Search CNNs on synthetic faces: the main job, some minutes on two cores
	@$(DEMO) data show synthetic >/dev/null 2>&1 || $(DEMO) data synth synthetic --rows 3000 --seed 7
	$(DEMO) run experiments/quickstart.toml

test: setup ## Run all tests
	cargo $(TEST)

test-e2e: ## Drive the dashboard in headless Chromium against a daemon; pictures in src/dashboard/e2e/shots
	@scripts/test-e2e

simulate: setup ## Live 5,000 lives of the scheduler on the real store, with faults of every kind (hours)
	SWEEPD_SEEDS=$${SWEEPD_SEEDS:-5000} cargo test --release --no-default-features --lib simulation -- --nocapture

kill: build ## Kill daemon, workers, writers and the power hundreds of times; nothing may be lost
	SWEEPD_KILLS=$${SWEEPD_KILLS:-200} cargo test --release --test it -- --nocapture --test-threads=1 kill power_cut full_disk restart

fuzz-api: ## Call a daemon with made-up arguments, as its own description says: no 5xx, every answer as described
	@scripts/fuzz-api

bench: ## Measure a database of a million trials and a thousand workers; docs/scale.md says how
	cargo bench --no-default-features --bench scale

bench-search: ## Compare the search with Optuna's, in hours; docs/search.md says how, and how to run a part
	@benches/search/run $(ARGS)

bench-train: setup ## Compare steps of training with PyTorch's; docs/performance.md says how
	@benches/train/run $(ARGS)

lint: setup ## Check format, warnings, documentation, licences
	@scripts/lint

clean: ## Delete what was built and the demo's home; the downloads stay in the cache
	cargo clean
	rm -rf .demo
