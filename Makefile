# coldcurve's chores. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
FUZZTIME ?= 20s

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./bin/coldcurve
	go build -trimpath -ldflags '-X github.com/coldcurve/coldcurve/cmd/coldcurve/internal/cli.version=$(VERSION)' -o bin/coldcurve ./cmd/coldcurve

.PHONY: test
test: ## every test; parts that need what is not installed skip and say why
	go test -timeout 20m ./...

.PHONY: race
race: ## every test under the race detector
	go test -race -timeout 45m ./...

.PHONY: stress
stress: ## chaos and crowds in full, one after the other
	COLDCURVE_STRESS=1 go test -count=1 -timeout 20m -run '^(TestChaos|TestCrowdOf1000)$$' ./platform/reference

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (20s) each
	@set -e; for package in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "== $$package $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package; \
	  done; \
	done

.PHONY: lint
lint: ## format, vet for Linux, macOS and Windows, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "gofmt wants to change: $$unformatted"; exit 1; fi
	go vet ./...
	GOOS=darwin go vet ./...
	GOOS=windows go vet ./...
	go tool staticcheck ./...

.PHONY: bench
bench: bench-pacing bench-recording bench-coldstart ## every benchmark that a published figure rests on

.PHONY: bench-pacing
bench-pacing: ## the load generator's lag, spacing and CPU beside plain vegeta's; a stalled server
	go test -run '^$$' -bench '^BenchmarkPacing' -benchtime 1x -timeout 10m ./scenarios/drive

.PHONY: bench-recording
bench-recording: ## what recording a sample costs in time and memory
	go test -run '^$$' -bench '^BenchmarkRecording' -benchtime 1x ./scenarios/drive

.PHONY: bench-coldstart
bench-coldstart: ## cold and warm invocations beside the bare floor
	go test -run '^$$' -bench '^Benchmark(Cold|Warm)$$' -benchtime 300x -timeout 10m ./platform/reference

.PHONY: bench-runtime
bench-runtime: ## what the runtime promises of its tiers, its start rate and its API: one table; fails if a promise is broken
	go test -run '^$$' -bench '^BenchmarkPromises$$' -benchtime 9x -timeout 15m ./platform/reference

.PHONY: bench-cost
bench-cost: ## a curve of 10 options at 200 rates, a month from a histogram, WorldCup98 by every product: one table; fails if a promise is broken
	go test -run '^$$' -bench '^BenchmarkPromises$$' -benchtime 15x ./analysis/study

.PHONY: bench-peers
bench-peers: ## cold and warm starts beside workerd, serverless-offline and Docker, which it installs (npm, apt) and starts
	.ci/bench-peers

.PHONY: bench-tiers
bench-tiers: ## starts from a pre-booted runtime and from a zygote beside plain cold starts
	go test -run '^$$' -bench '^Benchmark(Stem|Zygote)$$' -benchtime 40x -timeout 10m ./platform/reference/sandbox/process

.PHONY: bench-containers
bench-containers: ## where a container's start goes: OCI runtimes, created ahead, on a bridge (needs a Docker engine)
	go test -run '^$$' -bench '^BenchmarkCold$$' -benchtime 15x -timeout 10m ./platform/reference/sandbox/container

.PHONY: bench-starts
bench-starts: ## instances started and ended a second, eight at a time, beside a bare fork-exec loop
	go test -run '^$$' -bench '^BenchmarkStartRate$$' -benchtime 30x -timeout 10m ./platform/reference/sandbox/process

.PHONY: bench-sim
bench-sim: ## what the simulator promises: requests a second, WorldCup98 by both engines, memory: one table; fails if a promise is broken
	go test -run '^$$' -bench '^BenchmarkPromises$$' -benchtime 1x -timeout 30m ./analysis/sim

.PHONY: gate-calibration
gate-calibration: build ## how often the gate is wrong: 60 comparisons of a function with itself, 60 with 10% more of init, 25 each with 5% and 20%; goes on where it was
	./bin/coldcurve gate calibrate --effects 0%,10% --comparisons 60
	./bin/coldcurve gate calibrate --effects 5%,20% --comparisons 25

.PHONY: golden
golden: ## write the golden files of the tests anew; look at the difference before committing it
	go test $$(grep -rl --include='*_test.go' '"update"' . | xargs -n1 dirname | sort -u) -update

.PHONY: setup-ci
setup-ci: ## install, by package name, what the tests with external parts need (Debian, root)
	.ci/setup
