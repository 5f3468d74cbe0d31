# make demo              train, evaluate and draw on generated data
# make test              style and tests
# make hapt HAPT=x.zip   the same as demo on real recordings, from UCI's archive or folder
# make docs              the documentation's site, docs/_build/html/index.html
# make clean             remove what the others made, .venv included
#
# PYTHON, VENV and TORCH can be set, as in
#   make demo TORCH="torch==2.13.0 --index-url <index of the build for your GPU>"

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
TORCH ?= torch==2.13.0
EXTRAS ?= tests
SEED ?= 0
# one thread in each of two processes: the tests are many small computations
PYTEST ?= -n 2 --dist loadfile

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -q
READY := $(VENV)/.cltdr_mm_installed

.PHONY: help install demo test lint hapt docs clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# \{0,1\}//p' Makefile

install: $(READY)

# torch first: asked for later, by another package, pip would take whatever build is newest
$(READY): setup.cfg pyproject.toml requirements/constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no python3.11 or python3 found, set PYTHON" >&2; exit 1; }
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PIP) install $(TORCH) -c requirements/constraints.txt
	$(PIP) install -e ".[$(EXTRAS)]" -c requirements/constraints.txt
# once alone: yapf, which MMEngine imports, writes its cache without a lock, and two processes
# that come first together can read it half-written
	$(PY) -c "import cltdr_mm"
	touch $@

demo: $(READY)
	$(PY) -m cltdr_mm demo --seed $(SEED)

hapt: $(READY)
	@test -n "$(HAPT)" || { echo "error: say where UCI's archive (or the folder it was unpacked" \
	    "to) is: make hapt HAPT=<path>" >&2; exit 1; }
	$(PY) -m cltdr_mm demo --hapt "$(HAPT)" --seed $(SEED)

lint: $(READY)
	$(PY) -m ruff check .

test: lint
	OMP_NUM_THREADS=1 $(PY) -m pytest $(PYTEST)

docs: $(READY)
	$(PY) -m sphinx -q -W --keep-going -c docs . docs/_build/html
	@echo "the site is docs/_build/html/index.html"

clean:
	rm -rf docs/_build $(VENV) work_dirs/demo work_dirs/hapt data/synthetic data/hapt build *.egg-info
