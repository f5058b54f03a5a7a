# Caretaker's commands. Each sets up what it needs under .venvs/ on its first run; a second one is
# quick. Needed beforehand: make, a Python from 3.9 on with pip, and Python 3.13 or the internet.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The Python that sets up the rest. Under pyenv `python3` fails where 3.13 is not installed.
PYTHON ?= $(or $(shell for each in python3.13 python3 python /usr/bin/python3; do \
	$$each -c 'import pip, sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null && \
	echo $$each && break; done),$(error Needed: a Python from 3.9 on, with pip))

# Native wheels differ: what is run here is built for this machine, what is deployed for Lambda's.
ARCHITECTURE ?= $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
DEPLOY_ARCHITECTURE ?= arm64
BUILD := .aws-sam/build
BUILT := $(BUILD)/.built-for-$(ARCHITECTURE)
SOURCES := template.yaml $(shell find functions layers statemachines -name __pycache__ -prune \
	-o -print 2>/dev/null)

# The table of samconfig.toml to deploy by.
CONFIG ?= default
DEPLOYED := .aws-sam/deployed-$(CONFIG)

BIN := .venvs/dev/bin
DEV := .venvs/dev/installed
SAM_INSTALLED := .venvs/sam/installed
CLOUD := .venvs/cloud/installed
CUSTODIAN := .venvs/bench-c7n/installed
PROBES := .venvs/bench-probes/installed
PROBES_PACKAGES := nginx libnginx-mod-http-echo prometheus-blackbox-exporter

# `sam build` calls the pip of the python3.13 it finds first, and must not look for credentials.
SAM := PATH="$(CURDIR)/$(BIN):$$PATH" SAM_CLI_TELEMETRY=0 .venvs/sam/bin/sam
OFFLINE := AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1

.PHONY: help
help: ## Show this list
	@awk -F ':|## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$NF }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(DEV) $(CLOUD) $(BUILT) ## Deploy to a cloud on this machine and watch the chores work
	$(BIN)/python -m tests.cloud.demo

.PHONY: test
test: $(DEV) $(CLOUD) $(BUILT) ## Run all tests, the end-to-end ones on the local cloud included
	$(BIN)/python -m pytest tests/unit -n 2 --cov --cov-branch --cov-report= --cov-fail-under=0
	$(BIN)/coverage report --include='functions/*/plan.py,functions/*/request.py' --fail-under=100
	COVERAGE_CORE=sysmon $(BIN)/python -m pytest tests/aws tests/contract -n 2 --cov
	$(BIN)/python -m pytest tests/e2e

.PHONY: check
check: $(DEV) $(SAM_INSTALLED) ## Check style, types, template and pins
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/cfn-lint template.yaml member-role.yaml
	$(OFFLINE) $(SAM) validate --lint
	$(BIN)/python -m pytest -q tests/contract/test_pins.py
	$(BIN)/python -m tools.audit layers/common/requirements.txt \
		functions/uptime/requirements.txt requirements/dev.txt

.PHONY: build
build: $(BUILT) ## Build functions and layer for this machine (or ARCHITECTURE=arm64)

.PHONY: deploy
deploy: ## Build for Lambda and deploy to your AWS account (asks its questions the first time)
	$(MAKE) build ARCHITECTURE=$(DEPLOY_ARCHITECTURE)
	$(SAM) deploy --config-env $(CONFIG) $(if $(wildcard $(DEPLOYED)),,--guided)
	@touch $(DEPLOYED)

.PHONY: smoke
smoke: $(DEV) ## Try the deployed stack on a real account (one 1 GiB volume)
	$(BIN)/python -m tests.smoke

.PHONY: bench
bench: $(DEV) $(CUSTODIAN) $(PROBES) $(BUILT) ## Run the benchmarks
	$(BIN)/python -m bench

.PHONY: mutants
mutants: $(DEV) ## Break the rules of retention and tagging in every small way: do tests notice? (30 minutes)
	$(BIN)/python -m tests.mutation

.PHONY: pins
pins: .venvs/uv/installed ## Compile requirements/ from pyproject.toml (PINS=--upgrade for newer ones)
	$(PYTHON) -m tools.compile_pins $(PINS)

$(BUILT): $(SOURCES) .python-version tools/finish_build.py | $(DEV) $(SAM_INSTALLED)
	$(OFFLINE) $(SAM) build --cached --build-dir $(BUILD) \
		--parameter-overrides Architecture=$(ARCHITECTURE)
	$(BIN)/python -m tools.finish_build $(BUILD)
	@touch $@

.venvs/uv/installed: requirements/uv.txt .python-version tools/environment.py
	$(PYTHON) -m tools.environment uv requirements/uv.txt

.venvs/bench-c7n/installed: requirements/custodian.txt .venvs/uv/installed
	$(PYTHON) -m tools.environment bench-c7n $<

# Debian's packages, unpacked and not installed. Without them the benchmarks of probing are left out.
$(PROBES):
	@rm -rf $(@D) && mkdir -p $(@D)
	@(cd $(@D) && apt-get -qq -o APT::Sandbox::User=root download $(PROBES_PACKAGES) && \
		for each in *.deb; do dpkg -x $$each . || exit 1; done && rm ./*.deb && touch installed) || \
		echo "no $(PROBES_PACKAGES): apt-get fetches them (after 'apt-get update')"

.venvs/%/installed: requirements/%.txt .venvs/uv/installed
	$(PYTHON) -m tools.environment $* $<
