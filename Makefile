# One command each: make setup | test | check | synth | demo | deploy-local | up | bench | clean.
# Everything is built inside the checkout: .venv, node_modules, cdk.out, opentrail/_deploy.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

BIN := .venv/bin
CDK := node_modules/.bin/cdk
SOURCES := $(wildcard opentrail lambdas stacks tests benchmarks app.py forwarders.py)
DEPLOYED := $(shell find opentrail lambdas stacks -name '*.py' -not -path '*/_deploy/*') app.py cdk.json lambdas/requirements.txt \
	$(wildcard detections/*.yml)

# The first interpreter the lock was made for; else any that is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && exit; done; echo python3)

# jsii prints a banner for a Node it considers old; the value that silences it is Node's major version.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := $(shell node -p 'process.versions.node.split(".")[0]' 2>/dev/null)
export CDK_DISABLE_CLI_TELEMETRY := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup synth check format test demo deploy-local up bench docs lock clean
.DEFAULT_GOAL := setup

setup: .venv/.stamp node_modules/.stamp

.venv/.stamp: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("OpenTrail needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@echo "setup: Python environment in .venv (a minute or two the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@# Compiling every module of every package takes longer than all the rest; Python does it when it imports.
	@$(BIN)/python -m pip install -qq --no-compile -r requirements.txt -r requirements-dev.txt
	@$(BIN)/python -m pip install -qq --no-build-isolation --no-deps --editable .
	@touch $@

node_modules/.stamp: package.json package-lock.json
	@echo "setup: CDK command in node_modules"
	@npm ci --silent --no-audit --no-fund
	@touch $@

# The templates for the laptop carry no arm64 layer: it runs handlers in this very environment.
# They are also packaged, so that `opentrail up` needs neither Node nor CDK.
synth: opentrail/_deploy/.stamp

# With the stacks that `opentrail up` deploys only when asked for.
PACKAGED := --context bundleLayer=false --context remediationMode=observe --context sourceBucket=opentrail-source \
	--context detectionsFolder=detections

opentrail/_deploy/.stamp: .venv/.stamp node_modules/.stamp Makefile $(DEPLOYED)
	@echo "synth: templates in cdk.out and opentrail/_deploy"
	@rm -rf cdk.out cdk.out.package
	@$(CDK) synth --quiet --ci --app "$(BIN)/python app.py" $(PACKAGED) > /dev/null
	@cp -R cdk.out cdk.out.package
	@touch cdk.out.package/.stamp
	@rm -rf opentrail/_deploy && mv cdk.out.package opentrail/_deploy

check: setup
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy --strict $(SOURCES)
	@$(BIN)/lint-imports --no-logo

format: setup
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

test: setup synth
	@$(BIN)/python -m pytest -q -n 2 $(ARGS)

demo: setup synth
	@$(BIN)/python -m opentrail.cli.demo $(ARGS)

# The real CDK command deploys to a laptop that has no OpenTrail yet, and the demo runs there.
deploy-local: setup
	@$(BIN)/python -m opentrail.cli.deploy_local $(ARGS)

up: setup synth
	@$(BIN)/opentrail up $(ARGS)

bench: setup synth
	@for file in $$(grep -l '^def main' benchmarks/*.py); do \
		echo "== $$file"; $(BIN)/python -m "benchmarks.$$(basename "$$file" .py)" $(ARGS); done

# The generated parts of the documentation.
docs: setup
	@$(BIN)/python -m tests.docs.compatibility
	@$(BIN)/python -m tests.docs.remediation
	@$(BIN)/python -m tests.docs.doctor
	@$(BIN)/python -m tests.docs.cost

# Resolve the *.in files again, to exact versions without the address of any registry.
COMPILE := $(CURDIR)/$(BIN)/pip-compile --quiet --no-header --no-annotate --strip-extras --no-emit-options \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
define compile
	@cd $(dir $(1)) && $(COMPILE) --output-file $(notdir $(1)).txt $(notdir $(1)).in
	@{ echo '# Compiled from $(1).in by `make lock`; exact versions for Python 3.11 to 3.13.'; \
		grep -vE '^(#|$$)' $(1).txt; } > $(1).new && mv $(1).new $(1).txt
endef

lock: .venv/.stamp
	$(call compile,requirements)
	$(call compile,requirements-dev)
	$(call compile,lambdas/requirements)

clean:
	@rm -rf .venv node_modules cdk.out dist build opentrail/_deploy .coverage .coverage.* \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
