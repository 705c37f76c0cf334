# stagemeter. `make help` lists the targets.

.DEFAULT_GOAL := help
.NOTPARALLEL: # scripts/test.sh knows what can run at the same time

# Built tools and servers. Ignored by git and, for its leading dot, by ./...
CACHE := $(CURDIR)/.cache
BIN   := $(CACHE)/bin

# Go keeps its caches under HOME. Where there is no usable one, they go beside the binaries.
ifeq ($(shell test -n "$$HOME" && test -w "$$HOME" && echo yes),)
export HOME := $(CACHE)/home
export GOFLAGS := $(GOFLAGS) -modcacherw
endif

# Every module of go.work; `./...` alone stops at the root module's edge.
# The examples come first: their tests take longest.
PACKAGES  := ./examples/... ./examples/aicosts/... ./... ./cmd/stagemeter/... ./bench/...
FUZZTIME  ?= 1s
BENCHTIME ?= 1s

# The tests run with the race detector, and lint reads the same build, so that each dependency is compiled once. SQLite
# is C translated to Go: with the race detector in it, it compiles for minutes, and what it would find is not ours.
# Only that package: it has no generic function. Of a generic function that many packages instantiate, such as those of
# sync.Map, the linker keeps one copy: one without the detector makes it report races everywhere that are none.
# The vendors' libraries are generated code, megabytes each, of which a call runs little. Without optimization and
# debugging information they compile in two thirds of the time, with the detector too.
RACE := -race "-gcflags=modernc.org/sqlite/lib=-race=false -dwarf=false" $(foreach library,github.com/openai/openai-go \
	github.com/anthropics/anthropic-sdk-go google.golang.org/genai,"-gcflags=$(library)/...=-N -l -dwarf=false")
with_race = GOFLAGS='$(strip $(shell go env GOFLAGS) $(RACE))'

# Compilers and analyzers allocate a lot and end soon. If garbage is collected rarely, lint takes a third less processor
# time, and a compiler a tenth less. The limit of 2 GiB bounds what each program takes. `unit` and `e2e` run without this.
rarely := GOGC=400 GOMEMLIMIT=2GiB

# The packages with allocation gates: the race detector allocates, so that they are left out of a build with it.
GATED = $(addprefix ./,$(sort $(shell find . -name '.?*' -prune -o -name '*_test.go' -print | xargs grep -l '^//go:build !race' | xargs -n 1 dirname | sed 's,^\./,,')))

step = @printf '\n==> %s\n' "$(1)"

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

##@ Try it
.PHONY: demo
demo: ## Edit a video and serve the live page, http://localhost:9099/; ARGS='...' passes flags
	@scripts/deps.sh demo
	@scripts/demo.sh $(ARGS)

.PHONY: stack
stack: ## The demo with a real Prometheus and Collector, and its key figures; ARGS='...' passes flags
	@scripts/deps.sh demo
	@go build -buildvcs=false -o $(BIN)/stack ./e2e/stack
	@$(BIN)/stack $(ARGS)

.PHONY: pictures
pictures: servers ## Take the pictures of README.md from real runs: the live page, and what Prometheus shows
	@scripts/deps.sh pictures
	@scripts/pictures.sh

##@ Check it
.PHONY: test
test: ## Everything: what has to pass before a merge
	@scripts/test.sh

.PHONY: check
check: ## Format, vet and unit tests of what has changed, in under a minute; BASE=main since a commit
	@scripts/check.sh $(BASE)

.PHONY: unit
unit: ## Unit tests with the race detector, and the allocation gates without
	$(call step,unit tests)
	$(with_race) go test -vet=off -timeout 20m $(PACKAGES)
	go test -vet=off -run Allocations $(GATED)

.PHONY: e2e
e2e: servers ## The real example against real Prometheus, Collector, PostgreSQL and Redis
	$(call step,end to end)
	$(with_race) go test -vet=off -count=1 -timeout 30m ./e2e/...

.PHONY: schemas
schemas: ## docs/kubernetes, docs/compose and docs/dashboards against the schemas of their readers
	$(call step,schemas)
	GOWORK=off $(rarely) go test -C e2e/schemas -vet=off ./...
	@scripts/grafana-schema.sh

.PHONY: page
page: ## Check the types and functions of the live page's scripts
	$(call step,live page)
	@scripts/page.sh

.PHONY: browser
browser: ## Test the live page in Chromium; screenshots go to .cache/screenshots
	$(call step,live page in a browser)
	@scripts/browser.sh $(ARGS)

.PHONY: sdks
sdks: ## Paid calls by the vendors' own libraries through package aihttp
	$(call step,libraries of vendors)
	cd instrument/aihttp/sdktest && GOWORK=off $(with_race) go test -vet=off -count=1 ./... # which reads files beside its module

.PHONY: fuzz
fuzz: ## The seeds of each fuzz target, and FUZZTIME (1s) of new inputs
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
lint: check-format tools ## Format, and what go vet and staticcheck find
	$(call step,go vet and staticcheck)
	$(with_race) $(rarely) $(BIN)/lint $(PACKAGES) ./e2e/...
	$(rarely) $(BIN)/lint $(GATED)
	cd tools && GOWORK=off $(rarely) $(BIN)/lint ./... && GOWORK=off go test -vet=off ./...

.PHONY: lint-apart
lint-apart: tools ## The same for the modules outside of go.work
	$(call step,go vet and staticcheck of the modules outside of go.work)
	cd e2e/schemas && GOWORK=off $(rarely) $(BIN)/lint ./...
	cd e2e/browser && GOWORK=off $(rarely) $(BIN)/lint ./...
	cd instrument/aihttp/sdktest && GOWORK=off $(with_race) $(rarely) $(BIN)/lint ./...
	cd e2e/servers/prometheus && GOWORK=off $(rarely) $(BIN)/lint -tags remove_all_sd ./...

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
deps: ## Install ffmpeg, speech model, Redis, PostgreSQL, Chromium and a C compiler, or say how
	$(call step,system packages)
	@scripts/deps.sh test

.PHONY: tools
tools: ## Build lint, go vet and staticcheck in one, into .cache/bin
	@GOWORK=off $(rarely) go build -C tools -buildvcs=false -o $(BIN)/ ./lint

.PHONY: servers
servers: ## Build the pinned Prometheus and Collector into .cache/bin, unless they are there
	$(call step,Prometheus and Collector)
	@$(rarely) scripts/servers.sh

.PHONY: clean
clean: ## Remove .cache
	@test ! -e $(CACHE) || chmod -R u+w $(CACHE)
	rm -rf $(CACHE)
