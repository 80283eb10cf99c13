# Everything a person types here. `make help` lists it. Needs: Python 3.11 to 3.13, make,
# and the package registries (or mirrors, as set for pip and uv in the environment).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# The environments are the project's own: Python keeps what it compiled there, also where a
# machine says it should not (as images of containers do). Each start is seconds faster.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help

# The interpreter that makes the environments; choose another with: make setup PYTHON=…
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	"$$p" -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] < (3,14))' 2>/dev/null \
	&& { command -v "$$p"; break; }; done)
ENVS := .venvs
UV := $(ENVS)/bootstrap/bin/uv
RUN_UV := locks/with-pip-settings $(UV)
SYNC := $(RUN_UV) pip sync --quiet --require-hashes
DATA ?=
# The engines that `make flink` runs: of the same Beam as in locks/platform.txt.
BEAM := $(shell sed -n 's/^apache-beam==\([0-9.]*\).*/\1/p' locks/platform.txt)
FLINK_ARTIFACT := beam-runners-flink-2.2-job-server

.PHONY: help setup faces viz demo test long bench-mqtt flink prism job-server wheel check lint types imports google format lock clean browser openmp

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## Simulate a chain and show its KPIs; DATA=FOLDER also loads the real files there
	@.venv/bin/tenpo demo $(if $(DATA),--data "$(DATA)")

# One thread of arithmetic a worker: more wait for each other busily where workers fill the cores.
# Their data lies in memory where there is room (2 GB are written; of 8 GB free): else a quarter
# of the time of those with databases is waiting for the disk. Of a failed run it stays.
test: setup faces browser ## Run the tests
	@free="$$({ awk '/^MemAvailable/ {print $$2}' /proc/meminfo; df -k --output=avail /dev/shm; } 2>/dev/null | tail -n 1)"
	place=
	if [ "$$(sort -n <<<"$$free" | head -n 1)" -gt 8000000 ]; then place="$$(mktemp -d /dev/shm/tenpo-tests.XXXXXX)"; fi
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .venv/bin/pytest -n 4 --dist loadfile --no-loadscope-reorder \
		$${place:+--basetemp="$$place/data"}
	rm -rf $${place:+"$$place"}

long: setup faces ## Run the tests that compute for minutes: a whole clip of video
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .venv/bin/pytest -m long

bench-mqtt: setup ## Measure MQTT against Mosquitto, with a restart and a kill in the middle
	@.venv/bin/python -m bench.mqtt

flink: setup $(ENVS)/worker/.made wheel job-server prism ## Run the pipelines on workers of their own: Flink, Prism
	@.venv/bin/pytest -m engine tests/engines

check: setup lint types imports ## Check format, lint, types and import contracts

setup: openmp .venv/.made $(ENVS)/bigquery/.made $(ENVS)/airflow/.made $(ENVS)/.compiled ## Make the locked environments (.venv and .venvs)

faces: $(ENVS)/.faces ## Also install what makes features of faces (100 MB)

viz: setup $(ENVS)/.viz ## Open the graph of the models' pipelines in a browser (Kedro-Viz)
	@KEDRO_DISABLE_TELEMETRY=true .venv/bin/kedro viz run

lint:
	@.venv/bin/ruff format --check .
	.venv/bin/ruff check .

types:
	@.venv/bin/mypy

imports:
	@.venv/bin/lint-imports

google: ## Build the stand-ins of Cloud Storage and Pub/Sub for the tests (needs Go)
	@GOBIN="$$PWD/$(ENVS)/google" go install github.com/fsouza/fake-gcs-server@v1.56.1
	cd tests/google_cloud/pubsub && go build -o ../../../$(ENVS)/google/fake-pubsub .

# Workers have the lock and this wheel, and nothing of the checkout.
wheel: .venv/.made $(ENVS)/worker/.made
	@rm -rf build $(ENVS)/worker/dist
	$(RUN_UV) build --quiet --wheel --no-build-isolation --python .venv/bin/python --out-dir $(ENVS)/worker/dist
	$(RUN_UV) pip install --quiet --no-deps --reinstall --python $(ENVS)/worker/bin/python $(ENVS)/worker/dist/*.whl
	rm -rf build

# The tests of an engine that cannot be had are skipped by name.
job-server:
	@if [ -e $(ENVS)/engines/$(FLINK_ARTIFACT)-$(BEAM).jar ]; then exit 0; fi
	if ! { command -v java && command -v mvn; } >/dev/null; then echo "Flink: no Java or no Maven"; exit 0; fi
	timeout 300 mvn -q -B --strict-checksums dependency:copy -Dmdep.overWriteReleases=false \
		-Dartifact=org.apache.beam:$(FLINK_ARTIFACT):$(BEAM) -DoutputDirectory=$(ENVS)/engines \
		>/dev/null 2>&1 || echo "Flink: Maven cannot get org.apache.beam:$(FLINK_ARTIFACT):$(BEAM)"

prism:
	@if [ -x $(ENVS)/engines/prism-$(BEAM) ]; then exit 0; fi
	if ! command -v go >/dev/null; then echo "Prism: no Go"; exit 0; fi
	GOBIN="$$PWD/$(ENVS)/engines" timeout 400 go install github.com/apache/beam/sdks/v2/go/cmd/prism@v$(BEAM) \
		&& mv $(ENVS)/engines/prism $(ENVS)/engines/prism-$(BEAM) || echo "Prism: Go cannot build it"

format: setup ## Format the code and mend what lint can mend
	@.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

lock: $(UV) ## Resolve locks/*.in into locks/*.txt; UPGRADE=1 also takes newer versions
	@for name in bootstrap platform faces viz bigquery airflow dev gpu bench; do
		echo "Resolving locks/$$name.in"
		$(RUN_UV) pip compile "locks/$$name.in" --quiet $(if $(UPGRADE),--upgrade) --python-version 3.11 \
			--generate-hashes --no-header -o "locks/$$name.txt"
	done

clean: ## Delete the environments and caches; the data folder (.tenpo) stays
	@rm -rf .venv $(ENVS) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -not -path './.tenpo/*' -exec rm -rf {} +

# LightGBM's wheel takes OpenMP's library from the system; compilers bring it, a bare system lacks it.
openmp:
	@if [ -z "$(PYTHON)" ] || "$(PYTHON)" -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null; then exit 0; fi
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "Installing OpenMP's library (libgomp1) for the forecasts"
		{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends libgomp1; } \
			>/dev/null 2>&1 || echo "It cannot be installed: the forecasts will say so"
	else
		echo "No libgomp.so.1: forecasts need it (on Debian: apt install libgomp1)"
	fi

# The browser test uses Chromium if there is one; without it the test is skipped by name.
browser:
	@if [ -n "$${TENPO_CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null; then exit 0; fi
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "Installing Chromium for the browser test"
		{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends chromium; } \
			>/dev/null 2>&1 || echo "Chromium cannot be installed: the browser test will be skipped"
	else
		echo "No Chromium: the browser test will be skipped (install one, or set TENPO_CHROMIUM)"
	fi

# uv makes the environments; it comes with its hash from the lock, by plain pip.
$(UV): locks/bootstrap.txt
	@if [ -z "$(PYTHON)" ]; then
		echo "No Python 3.11 to 3.13 found. Install it, or name it: make setup PYTHON=/path/to/python3.11" >&2
		exit 1
	fi
	if ! "$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null; then
		version=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
		echo "$(PYTHON) comes without venv. On Debian: apt install python$$version-venv" >&2
		exit 1
	fi
	echo "Making the environments (once; some minutes)"
	rm -rf $(ENVS)/bootstrap
	"$(PYTHON)" -m venv $(ENVS)/bootstrap
	$(ENVS)/bootstrap/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r locks/bootstrap.txt
	touch $@

# The platform: the lock, the tools on top of it, and the project itself.
.venv/.made: locks/platform.txt locks/dev.txt pyproject.toml | $(UV)
	@echo "  platform → .venv"
	[ -x .venv/bin/python ] || $(UV) venv --quiet --python "$(PYTHON)" .venv
	$(SYNC) --python .venv/bin/python locks/platform.txt locks/dev.txt
	$(RUN_UV) pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable .
	touch $@

# Built with the setuptools of the platform's lock, so that nothing comes without its hash.
$(ENVS)/.faces: locks/faces.txt .venv/.made
	@echo "  faces → .venv"
	$(RUN_UV) pip install --quiet --require-hashes --no-deps --no-build-isolation \
		--python .venv/bin/python -r locks/faces.txt
	touch $@

$(ENVS)/worker/.made: locks/platform.txt | $(UV)
	@echo "  workers → $(ENVS)/worker"
	[ -x $(ENVS)/worker/bin/python ] || $(UV) venv --quiet --python "$(PYTHON)" $(ENVS)/worker
	$(SYNC) --python $(ENVS)/worker/bin/python locks/platform.txt
	touch $@

$(ENVS)/.viz: locks/viz.txt .venv/.made
	@echo "  viz → .venv"
	$(RUN_UV) pip install --quiet --require-hashes --no-deps --python .venv/bin/python -r locks/viz.txt
	touch $@

# What our processes import, compiled once here: else each of those that start together does it.
$(ENVS)/.compiled: .venv/.made $(ENVS)/bigquery/.made $(ENVS)/airflow/.made
	@echo "  compiling what is imported"
	home=$$(mktemp -d)
	trap 'rm -rf "$$home"' EXIT
	export AIRFLOW_HOME="$$home"
	.venv/bin/python locks/import_all.py tenpo gateways api beam_jobs kedro_project video_analyzer >/dev/null 2>&1 &
	$(ENVS)/bigquery/bin/python -c 'import bqemulator.cli, bqemulator.server' >/dev/null 2>&1 &
	$(ENVS)/airflow/bin/python -c 'import airflow.cli.cli_parser, airflow.jobs.scheduler_job_runner, \
		airflow.dag_processing.manager, airflow.api_fastapi.app' >/dev/null 2>&1 &
	wait
	touch $@

$(ENVS)/%/.made: locks/%.txt | $(UV)
	@echo "  $* → $(ENVS)/$*"
	[ -x $(ENVS)/$*/bin/python ] || $(UV) venv --quiet --python "$(PYTHON)" $(ENVS)/$*
	$(SYNC) --python $(ENVS)/$*/bin/python locks/$*.txt
	touch $@
