# The one list of commands. `make` alone shows it.

LISTEN ?= 127.0.0.1:8080
CONTENT ?= content
MODEL ?= all-minilm-l6-v2-q
DENY := 0.20.2
SCENARIO ?= steady
TARGET = $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := help
.PHONY: help setup run test postgres lint bench eval load clients conformance deny size chart cluster-test image rules telemetry promtool page observe observe-faults

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Fetch ONNX Runtime and a model, once (MODEL=bge-small-en-v1.5-q; LOCKSTEP_ASSETS says where to)
	@python3 tools/setup --model $(MODEL)

run: setup ## Build and serve content/ on 127.0.0.1:8080/mcp (LISTEN=…, CONTENT=…)
	cargo run --release --quiet -- serve --listen $(LISTEN) --content $(CONTENT)

test: setup postgres ## Run all tests
	cargo test

.PHONY: test-faults
test-faults: setup ## Test that each fault on purpose is seen (a build that no release has)
	cargo test --features faults --test it -- faults

postgres: ## Install PostgreSQL, which tests of the database run themselves, if there is none
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null \
		|| { apt-get update -qq && apt-get install -y -qq postgresql; } \
		|| { echo "the tests need PostgreSQL: install your system's package postgresql"; exit 1; }

lint: ## Check format, lints and documentation
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

bench: setup ## Measure against baselines: caches, tokens, searches, changes, gates, workflow calls, tools/call
	cargo bench --bench cache_hit
	cargo bench --bench cold_search
	cargo bench --bench search_fleet
	cargo bench --bench durable_change
	cargo bench --bench workflow_calls
	cargo bench --bench list_sessions
	cargo bench --bench scale
	cargo bench --bench gate
	cargo bench --bench authenticate
	load-tests/tools_call
	load-tests/start_time
	load-tests/telemetry_cost
	load-tests/auth_cost
	load-tests/memory

eval: setup ## Ask questions whose answers are known, and say how good the answers are
	cargo run --release --quiet --example eval

load: setup ## Let a hundred clients work for a minute, and count errors and double loads
	cargo run --release --quiet --example hundred_clients

.PHONY: k6 k6-smoke drain rollout compare
k6: setup ## Run load scenarios (SCENARIO=steady, ARGS="--url URL --seconds 60"): load-tests/README.md
	cargo build
	load-tests/run $(SCENARIO) $(ARGS)

k6-smoke: setup ## Run a 20 s form of every load scenario
	cargo build
	load-tests/run smoke --seconds 10 --set ERA=legacy
	load-tests/run all --seconds 20 --set P95_MS=2000 --set P99_MS=10000 --set RATE=10

drain: setup ## Stop servers under load behind HAProxy (ARGS="--times 50")
	cargo build
	load-tests/drain $(ARGS)

rollout: setup ## Rehearse a staged rollout: a good version, and bad ones that must be stopped (ARGS=--short)
	cargo build --features faults
	cp "$(TARGET)/debug/lockstep" "$(TARGET)/debug/lockstep-with-faults"
	cargo build
	load-tests/rollout $(ARGS)

compare: setup ## Measure MCP servers of other SDKs beside ours, on a quiet machine
	cargo build --release --bin lockstep --example bare_rmcp
	load-tests/compare $(ARGS)

clients: setup ## Drive the server with the Python and TypeScript SDKs
	cargo build
	tests/clients/run

conformance: setup ## Run the official MCP conformance suite
	cargo build
	cargo build --example conformance
	tests/conformance/run

telemetry: ## Write the catalogue of metrics anew: docs/telemetry.md, and JSON for the chart
	cargo run --quiet -- telemetry > docs/telemetry.md
	cargo run --quiet -- telemetry --format json > charts/lockstep/files/telemetry.json

promtool: setup ## Let Prometheus's own tool judge /metrics
	cargo build
	tests/prometheus/run

page: setup ## Look at the admin page in a real browser: light, dark, phone
	cargo build
	tests/page/run

deny: ## Check licences, bans and sources of all dependencies
	cargo deny --version 2>/dev/null | grep -qxF "cargo-deny $(DENY)" || cargo install --locked --quiet cargo-deny@$(DENY)
	cargo deny --all-features check licenses bans sources

chart: ## Check the Helm chart, k8s/ and the Dockerfile (charts/README.md)
	cargo build --quiet
	charts/check

cluster-test: ## Install the chart into a real API server (CLUSTER=… starts one, else KUBECONFIG says where)
	charts/cluster-test

image: setup ## Build the container image with buildah, start it read-only as uid 65532 and call it (ARCH=arm64)
	ARCH=$(ARCH) tools/image

size: ## Show how large files and functions are
	@python3 tools/size

rules: ## Check alert rules, their tests, dashboards and runbooks against each other
	tests/observe/run rules

observe: setup ## Check telemetry with a real Collector and Prometheus (SECONDS=…, OUTAGE=…, PICTURES=DIR, PROFILE=release)
	tests/observe/run load --seconds $(or $(SECONDS),30) --outage $(or $(OUTAGE),15) $(if $(PICTURES),--pictures $(PICTURES))

observe-faults: setup ## Break a build on purpose, and see that alerts, dashboards and watchdog catch it
	tests/observe/run faults
