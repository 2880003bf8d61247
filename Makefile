# Everything here runs on a fresh clone, with or without a terminal.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build quickstart samples test test-python lint sanitize format docs clean

# What `make quickstart` passes on, as in: make quickstart ARGUMENTS="--output my-first-run"
ARGUMENTS ?=

help: ## Lists these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Installs missing system libraries (Debian, Ubuntu), or says which.
	@scripts/setup.sh

build: setup ## Builds .build/release/diffprune.
	swift build -c release --product diffprune

quickstart: build ## Prunes, fine-tunes and compares the bundled model.
	"$$(swift build -c release --show-bin-path)/diffprune" quickstart $(ARGUMENTS)

samples: setup ## Builds Samples/swift, a package that uses this one, and runs it on the bundled model.
	swift build -c release --package-path Samples/swift --scratch-path .build-samples
	rm -rf .build-samples/output
	.build-samples/release/PruneAndDraw Samples/models/fashion-unet .build-samples/output

# `make lint LINTERS=required` fails where the linters of scripts/lint/requirements.txt cannot be installed.
LINTERS ?= optional
lint: ## Checks formats, columns, warnings of C, declared imports, the maps in the docs, and Python.
	@scripts/lint/all.sh $(LINTERS)

# Tests are built apart from the product: their flags would otherwise have each rebuild the other.
test: setup lint ## Lints, runs every test (freed memory is spoilt) and makes the documentation; no warning passes.
	DIFFPRUNE_CHECK_MEMORY=1 scripts/without_warnings.sh swift test -c release --scratch-path .build-tests --disable-xctest
	scripts/documentation.sh .build-tests/release

test-python: build ## Holds pruned folders and ONNX files to PyTorch, diffusers, ONNX Runtime and OpenVINO.
	scripts/python_tests.sh

# `make sanitize FILTER='^TensorCoreTests\.'` runs a part.
FILTER ?= .
sanitize: setup ## Runs the tests once under AddressSanitizer and once under ThreadSanitizer (an hour on two cores).
	scripts/sanitize/run.sh address '$(FILTER)'
	scripts/sanitize/run.sh thread '$(FILTER)'

format: ## Formats every Swift and C file.
	swift format --in-place --recursive --parallel Package.swift Sources Tests Samples/swift
	@scripts/lint/setup.sh
	scripts/lint/c_format.sh --write

docs: build ## Brings the tables of methods up to date and makes .build-docs/site, a web page of articles and API.
	.build/release/diffprune methods --update README.md docs/METHODS.md
	scripts/documentation.sh .build/release

clean: ## Deletes what was built.
	rm -rf .build .build-samples .build-tests .build-lint .build-address .build-thread .build-docs
