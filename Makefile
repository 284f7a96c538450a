# Installs missing packages and calls the CMake presets, which do all the work. `make help` lists the targets.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
FUZZ_RUNS ?= -1
WHEEL_VENV ?= build/torch-wheel
NEWEST_VENV ?= build/torch-newest
NEWEST_TORCH ?= 2.15.0
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
export CTEST_PARALLEL_LEVEL ?= $(JOBS)
PACKAGES := scripts/install-packages
DEMO_START := $(shell date +%s)

.PHONY: build demo gpu test test-wheel test-long test-faults lint format fuzz coverage bench install install-packages clean help
.DEFAULT_GOAL := build

build: ## builds the program: build/release/bin/frgan (CPU only)
	@$(PACKAGES) build
	cmake --preset release
	cmake --build --preset release

demo: ## installs packages, builds, and trains FR-GAN on real images, within 10 minutes
	@$(PACKAGES) build demo
	cmake --preset release
	cmake --build --preset release --target frgan_cli
	scripts/demo build/release/bin/frgan $(DEMO_START)

gpu: ## builds the program for CPU and NVIDIA GPUs, with `pip install torch`: build/gpu/bin/frgan
	@$(PACKAGES) build wheel
	scripts/torch-wheel $(WHEEL_VENV)
	cmake --preset gpu -D FRGAN_WHEEL_VENV=$(abspath $(WHEEL_VENV))
	cmake --build --preset gpu

test: test-build ## runs all quick tests: unit tests under sanitizers, program tests, lint
	scripts/run-tests asan

test-wheel: test-wheel-build ## runs the tests that depend on LibTorch with `pip install torch` in the virtual environment WHEEL_VENV
	scripts/run-tests wheel

.PHONY: test-wheel-build
test-wheel-build:
	@$(PACKAGES) build test lint wheel
	scripts/torch-wheel $(WHEEL_VENV)
	scripts/timm $(WHEEL_VENV)
	cmake --preset wheel -D FRGAN_WHEEL_VENV=$(abspath $(WHEEL_VENV))
	cmake --build --preset wheel

test-long: TEST_PACKAGES := bench demo
test-long: test-build ## runs the tests that take minutes
	scripts/run-tests long

.PHONY: test-build
test-build:
	@$(PACKAGES) build test lint $(TEST_PACKAGES)
	scripts/python-tools build/python-tools
	cmake --preset release
	cmake --build --preset release
	cmake --preset asan
	cmake --build --preset asan

lint: test-build ## checks format, clang-tidy, and includes against docs/design.md
	FRGAN_TIDY_SECONDS=3600 scripts/run-tests asan -L lint

format: ## formats every source file in place
	@$(PACKAGES) lint
	scripts/sources | xargs clang-format -i

test-faults: ## makes ten times as many random faults as CI: killed processes, power failures, damaged files
	@$(PACKAGES) build test
	cmake --preset faults
	cmake --build --preset faults --target faults_test
	FRGAN_FAULTS=10 build/faults/bin/faults_test

fuzz: ## runs every fuzz target for FUZZ_SECONDS (60), or with FUZZ_SECONDS=0, for FUZZ_RUNS inputs
	@$(PACKAGES) build fuzz
	cmake --preset fuzz
	cmake --build --preset fuzz
	scripts/fuzz build/fuzz/bin $(FUZZ_SECONDS) $(FUZZ_RUNS)

coverage: ## prints the line coverage of the tests
	@$(PACKAGES) build test lint coverage
	cmake --preset coverage
	cmake --build --preset coverage
	scripts/run-tests coverage -LE lint
	gcovr --root . --filter src --filter app --exclude-throw-branches --object-directory build/coverage

bench: ## times the training step against PyTorch, eager and compiled, three releases (10 GB)
	@$(PACKAGES) build bench wheel
	cmake --preset release
	cmake --build --preset release --target frgan_cli
	scripts/torch-wheel $(WHEEL_VENV)
	scripts/torch-wheel $(NEWEST_VENV) $(NEWEST_TORCH)
	/usr/bin/python3 benchmarks/compare_step.py --wheel-python $(WHEEL_VENV)/bin/python3 \
	  --newest-python $(NEWEST_VENV)/bin/python3

install: build ## installs program, library and headers below PREFIX (/usr/local)
	cmake --install build/release --prefix $(PREFIX)

install-packages: ## installs the missing Debian packages of all targets
	@$(PACKAGES) build demo test lint wheel fuzz bench coverage

clean: ## removes build/
	rm -rf build

help: ## prints this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-17s %s\n", $$1, $$2}'
