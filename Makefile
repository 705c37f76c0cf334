# stagemeter. `make help` lists the targets.

.DEFAULT_GOAL := help
.NOTPARALLEL:

# Built tools and servers. Ignored by git and, for its leading dot, by ./...
CACHE := $(CURDIR)/.cache
BIN   := $(CACHE)/bin

# Go keeps its caches under HOME. Where there is no usable one, they go beside the binaries.
ifeq ($(shell test -n "$$HOME" && test -w "$$HOME" && echo yes),)
export HOME := $(CACHE)/home
export GOFLAGS := $(GOFLAGS) -modcacherw
endif

# Every module of go.work; `./...` alone stops at the root module's edge.
PACKAGES  := ./... ./bench/... ./examples/...
# Tests run with -vet=off: `make lint` vets everything; vetting all dependencies again for each kind of build takes a minute.
FUZZTIME  ?= 3s
BENCHTIME ?= 1s

step = @printf '\n==> %s\n' "$(1)"

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

##@ Try it
.PHONY: demo
demo: ## Edit a video and serve http://localhost:9099/metrics; ARGS='...' passes flags
	@scripts/deps.sh demo
	@scripts/demo.sh $(ARGS)

.PHONY: stack
stack: ## The demo with a real Prometheus and Collector, and its key figures; ARGS='...' passes flags
	@scripts/deps.sh demo
	@go build -buildvcs=false -o $(BIN)/stack ./e2e/stack
	@$(BIN)/stack $(ARGS)

##@ Check it
.PHONY: test
test: deps check-generated lint unit fuzz schemas e2e ## Everything: what has to pass before a merge
	$(call step,all passed)

.PHONY: unit
unit: ## Unit tests with the race detector, and the allocation gates without
	$(call step,unit tests)
	go test -race -vet=off -timeout 20m $(PACKAGES)
	go test -vet=off -run Allocations ./instrument ./exporters # the race detector allocates, so that these are left out above

.PHONY: e2e
e2e: servers ## The real example against real Prometheus, Collector, PostgreSQL and Redis
	$(call step,end to end)
	go test -race -vet=off -count=1 -timeout 30m ./e2e/...

.PHONY: schemas
schemas: ## docs/kubernetes, docs/compose and docs/dashboards against the schemas of who reads them
	$(call step,schemas)
	GOWORK=off go vet -C e2e/schemas ./...
	GOWORK=off go test -C e2e/schemas ./...
	@scripts/grafana-schema.sh

.PHONY: fuzz
fuzz: ## Each fuzz target for FUZZTIME (3s)
	$(call step,fuzzing: $(FUZZTIME) each)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## stagemeter beside its rivals, in some minutes; ARGS=-quick in under two
	@go build -buildvcs=false -o $(BIN)/bench ./bench
	@$(BIN)/bench $(ARGS)

.PHONY: microbench
microbench: ## Go benchmarks with allocations, BENCHTIME (1s) each
	$(call step,benchmarks)
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PACKAGES)

.PHONY: lint
lint: check-format vet staticcheck ## Format, vet and staticcheck

.PHONY: check-generated
check-generated: ## Fail if `make generate` would change a file
	$(call step,generated files)
	go run ./internal/gen -check
	go run ./monitoring -check

.PHONY: check-format
check-format: ## Fail if a Go file is not as gofmt writes it
	$(call step,gofmt)
	@files=$$(find . -name '.?*' -prune -o -name '*.go' -print | xargs gofmt -l) || exit 1; \
	test -z "$$files" || { printf 'not as gofmt writes it (make format):\n%s\n' "$$files"; exit 1; }

.PHONY: vet
vet: ## go vet on every module
	$(call step,go vet)
	go vet $(PACKAGES) ./e2e/...

.PHONY: staticcheck
staticcheck: tools ## staticcheck on every module
	$(call step,staticcheck)
	$(BIN)/staticcheck $(PACKAGES) ./e2e/...
	cd e2e/schemas && GOWORK=off $(BIN)/staticcheck ./...
	cd e2e/servers/prometheus && GOWORK=off $(BIN)/staticcheck ./...

##@ Change it
.PHONY: generate
generate: ## Write the Go code, docs, alerts and dashboards that come from semconv/registry
	go generate ./...

.PHONY: format
format: ## gofmt every Go file
	@find . -name '.?*' -prune -o -name '*.go' -print | xargs gofmt -w

.PHONY: tidy
tidy: ## go mod tidy in every module
	@find . -name '.?*' -prune -o -name go.mod -print | while read -r mod; do \
		printf '%s\n' "$$mod"; GOWORK=off go mod tidy -C "$$(dirname "$$mod")" || exit 1; done

##@ Prepare it
.PHONY: deps
deps: ## Install ffmpeg, speech model, Redis, PostgreSQL and a C compiler, or say how
	$(call step,system packages)
	@scripts/deps.sh test

.PHONY: tools
tools: ## Build the pinned Go tools into .cache/bin
	@GOWORK=off go build -C tools -buildvcs=false -o $(BIN)/ tool

.PHONY: servers
servers: ## Build the pinned Prometheus and Collector into .cache/bin
	$(call step,Prometheus and Collector)
	@scripts/servers.sh

.PHONY: clean
clean: ## Remove .cache
	@test ! -e $(CACHE) || chmod -R u+w $(CACHE)
	rm -rf $(CACHE)
