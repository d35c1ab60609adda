# Every recipe does all it needs on a fresh machine with Python 3.11, 3.12 or 3.13 and nothing else.
# The first of these that runs and that TensorFlow has wheels for.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PORT ?= 8501
# Test processes side by side; each that runs a network takes 1 to 2 GB of memory.
TEST_WORKERS ?= 2

.PHONY: run test check format bench models clean

run: .venv/app
	$(BIN)/python -m healthdash serve --port $(PORT)

test: .venv/dev
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev
	$(BIN)/python -m benchmarks

# Hours on two cores; needs the real data sets, see docs/data.md.
models: .venv/app
	@test -n "$(HEALTHDASH_DATA)" || { echo "set HEALTHDASH_DATA to the unpacked data sets" >&2; exit 2; }
	$(BIN)/python -m healthdash train heart-disease --data $(HEALTHDASH_DATA)/tabular/heart_disease/processed.cleveland.data --out models/heart-disease/cleveland-mlp
	$(BIN)/python -m healthdash train readmission --data $(HEALTHDASH_DATA)/tabular/diabetes130/diabetic_data.csv --out models/readmission/diabetes130-mlp
	$(BIN)/python -m healthdash train ecg-beats --data $(HEALTHDASH_DATA)/signals/mitdb --out models/ecg-beats/sequence
	$(BIN)/python -m healthdash train ecg-waves --data $(HEALTHDASH_DATA)/signals/ludb --out models/ecg-waves/unet-250
	$(BIN)/python -m healthdash train chest-xray --data $(HEALTHDASH_DATA)/imaging/chest_xray --out models/chest-xray/imagenet-192
	$(BIN)/python -m healthdash train lung-ct --data $(HEALTHDASH_DATA)/imaging/lung_ct --out models/lung-ct/imagenet-192
	for task in heart-disease readmission ecg-beats ecg-waves chest-xray lung-ct; do \
	  $(BIN)/python -m healthdash judge $$task --write || exit 1; done
	$(BIN)/python -m healthdash.tasks.imaging.in_folds --model models/chest-xray/imagenet-192 --data $(HEALTHDASH_DATA)/imaging/chest_xray
	$(BIN)/python -m healthdash.tasks.imaging.synthetic --data $(HEALTHDASH_DATA)/imaging

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "healthdash needs Python 3.11, 3.12 or 3.13 (make PYTHON=...)" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/app: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt requirements-postgresql.txt requirements-ray.txt requirements-export.txt .venv/app
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
