# `make demo` and `make test` need Debian or Ubuntu with Swift; `make setup` installs the rest. See docs/development.md.
SHELL := /bin/bash
.DEFAULT_GOAL := build
PREFIX ?= /usr/local
DESTDIR ?=
CONFIGURATION := release
# Where `swift build` puts the optimised programs; a link that SwiftPM keeps.
BIN := .build/$(CONFIGURATION)
BUILD := swift build -c $(CONFIGURATION) --static-swift-stdlib

.PHONY: help setup setup-test setup-check setup-bench build demo test check soak bench install clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## packages and the embedding model, as far as they are missing
	@scripts/setup
setup-test:
	@scripts/setup test
setup-check:
	@scripts/setup check
setup-bench:
	@scripts/setup bench

build: ## both programs, optimised, into .build/release
	@$(BUILD) --product quarry
	@$(BUILD) --product quarry-pdf-reader

demo: setup ## PDFs of corpus/ in, cited answers out
	@$(MAKE) --no-print-directory build
	@scripts/demo $(BIN)/quarry

test: setup-test ## all tests
	@scripts/test

check: setup-check ## everything that .ci/run checks
	@scripts/check

soak: setup ## ingestion killed and changed under its feet, for an hour: nothing lost (goes on where it was stopped)
	@$(MAKE) --no-print-directory build
	@scripts/soak --all --quarry $(BIN)/quarry

bench: setup-bench ## what Benchmarks/README.md measures with the programs built here
	@$(MAKE) --no-print-directory build
	@Benchmarks/run $(BIN)

# Needs no Swift and no network when `make build` was run before, so that `sudo make install` is enough.
install: ## both programs and the completions, below DESTDIR and PREFIX (/usr/local)
	@test -x $(BIN)/quarry && test -x $(BIN)/quarry-pdf-reader || $(MAKE) --no-print-directory build
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" \
	  "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d"
	install -m 755 $(BIN)/quarry $(BIN)/quarry-pdf-reader "$(DESTDIR)$(PREFIX)/bin"
	$(BIN)/quarry completion bash > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/quarry"
	$(BIN)/quarry completion zsh > "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_quarry"
	$(BIN)/quarry completion fish > "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/quarry.fish"

clean: ## remove what was built; the model and the packages stay
	rm -rf .build .venv
