# `make demo` and `make test` need nothing but this checkout, Python 3.11-3.13 and make: see .ci/venv.
# Another interpreter: make PYTHON=/path/to/python3.12 test

export PYTHON
BIN := .venv/bin
DATA ?=
LFW ?=
FACES ?=
LIMIT ?= 400
SCENARIO ?=
CUTS ?=
NIGHTLY ?=

.DEFAULT_GOAL := help
.PHONY: help venv lint test demo accuracy bench models modeltest lab wheel wheels lock clean

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

venv: ## the virtual environment .venv, from requirements.lock
	@sh .ci/venv .venv requirements.lock

lint: venv ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: venv ## the tests, on photographs that are fetched first
	$(BIN)/python -m tools.photos
	$(BIN)/pytest -n auto --dist worksteal -m "not alone"
	$(BIN)/pytest -m alone

demo: venv ## a simulated door, real networks, real faces: who gets in?
	$(BIN)/python -m tools.demo

accuracy: venv ## verification on LFW: make accuracy DATA=folder [LIMIT=pairs]
	@test -n "$(DATA)" || { echo "Say where the data sets are: make accuracy DATA=folder (it holds lfw_view1/)" >&2; exit 2; }
	$(BIN)/python -m tools.evaluate verification --variant cpu --lfw $(DATA)/lfw_view1 --limit $(LIMIT) --at-least 97

bench: venv ## milliseconds of each stage on this machine
	$(BIN)/python -m tools.bench pipeline

models: ## rebuild models_tflite/: make models LFW=lfw_view1, or FACES=folder (TensorFlow, 2 GB in .venv-tools)
	@test -n "$(LFW)$(FACES)" || { echo "Say which pictures to calibrate with: make models LFW=lfw_view1, or FACES=folder" >&2; exit 2; }
	@sh .ci/venv .venv-tools requirements-tools.lock
	.venv-tools/bin/python -m tools.models build $(if $(LFW),--lfw $(LFW)) $(if $(FACES),--faces $(FACES))

modeltest: ## the tests of converting and quantising (TensorFlow, 2 GB in .venv-tools)
	@sh .ci/venv .venv-tools requirements-tools.lock
	.venv-tools/bin/python -m tools.photos
	.venv-tools/bin/pytest tests/tools

lab: venv ## a machine that boots, installs and is mistreated: make lab [SCENARIO=name] [CUTS=50] [NIGHTLY=1] (root; see tests/lab)
	$(BIN)/python -m tests.lab $(SCENARIO) $(if $(CUTS),--cuts $(CUTS)) $(if $(NIGHTLY),--nightly)

wheel: venv ## dist/facelatch-*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

wheels: venv ## which wheels there are for which Debian and processor; into systemd/README.md
	$(BIN)/python -m tools.wheels ask
	$(BIN)/python -m tools.readme

lock: venv ## resolve the lock files anew (make lock UPGRADE=--upgrade takes newer releases)
	@sh .ci/lock $(UPGRADE)

clean: ## remove what make made
	rm -rf .venv .venv-tools .venv-tflite build dist
