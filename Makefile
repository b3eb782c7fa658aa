# Branchline. `make` alone lists what there is.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
# Debian packages: what the box runs on, and the far ends that tests and the demonstration use.
RUN_PACKAGES  := nats-server espeak-ng sox libopus0 libflac12 libpri-dev gcc libc6-dev libffi-dev python3.11-dev python3.11-venv
TEST_PACKAGES := $(RUN_PACKAGES) ffmpeg strace openssh-server openssl postgresql mariadb-server-core tshark chromium fonts-noto-cjk libosmocore-dev libspandsp2 libspeexdsp1 poppler-utils poppler-data iproute2 gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad python3-gi gir1.2-gstreamer-1.0 asterisk-moh-opsound-wav device-tree-compiler rauc dbus squashfs-tools grub-common mtools dosfstools e2fsprogs openssh-client victoria-metrics prometheus snmp snmptrapd smitools rsyslog rsyslog-gnutls nftables
# Real DAHDI in a virtual machine: the kernel and DAHDI are fetched, built and kept below build/dahdi, not installed.
HIL_PACKAGES  := $(RUN_PACKAGES) qemu-system-x86 qemu-utils ovmf systemd-container openssh-client make gcc-12 libelf1 udev xz-utils tshark iproute2

# What makes packages and the image.
IMAGE_PACKAGES := $(RUN_PACKAGES) mmdebstrap debian-archive-keyring squashfs-tools rauc grub-efi-amd64-bin grub-common mtools dosfstools e2fsprogs fdisk genimage openssl

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check conformance fuzz interleavings bench screenshots lighthouse firmware deb image hil hil-dahdi clean setup apt-run apt-test apt-hil apt-image

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: apt-run setup  ## install what is missing, start the box with two exchanges that call; ARGS='--port 8081'
	$(BIN)/branchline up --demo $(ARGS)

# A borrowed machine is away at times: what failed is tried once more, nothing beside it. Its closing line says how many.
AGAIN := $(BIN)/pytest --last-failed --last-failed-no-failures none

# Lines wait for three quarters of their time: three of them for two cores.
WAITING := $(shell echo $$(($$(nproc) * 3 / 2)))

# Power cuts are played: no test needs a disk, and in memory none waits for one. A container may have little of it.
MEMORY := $(shell free=$$(df --output=avail /dev/shm 2>/dev/null | tail -1); \
    [ "$${free:-0}" -gt 2000000 ] && echo /dev/shm || echo "$${TMPDIR:-/tmp}")

# Python 3.11 fails when two threads find out at once where in its line an error was: pytest, and a page's log.
test: export PYTHONNODEBUGRANGES := 1
# Else every worker of every lane compiles all tests.
test: export PYTHONDONTWRITEBYTECODE :=
test: export TMPDIR := $(MEMORY)
test: apt-test setup check  ## install what is missing, lint, types, every test
	$(BIN)/pytest -m "not alone and not line and not whole" -n auto --dist worksteal || $(AGAIN) -m "not alone and not line and not whole"
	$(BIN)/pytest -m whole -n auto --dist loadfile --no-loadscope-reorder || $(AGAIN) -m whole
	$(BIN)/pytest -m line -n $(WAITING) --dist worksteal || $(AGAIN) -m line
	$(BIN)/pytest -m alone || $(AGAIN) -m alone

check: setup  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/mypy

conformance: setup  ## Q.921, Q.931 and QSIG test purposes: a table of totals, docs/conformance.md; seconds
	$(BIN)/python -m tests.conformance

fuzz: apt-test setup  ## every decoder over a million bent inputs, an hour or two; ARGS='--only hdlc'
	$(BIN)/python -m tests.fuzz $(ARGS)

interleavings: setup  ## the centre under callers, agents, timers, kills in any order; STEPS=100000 ARGS='--seed 2'
	$(BIN)/python -m tests.centre.interleavings $(or $(STEPS),100000) $(ARGS)

bench: apt-test setup  ## measure: a table, build/bench.json, docs/benchmarks.md
	$(BIN)/python -m tests.bench

screenshots: apt-test setup  ## every page, both languages, themes, sizes: build/screenshots/every_page
	$(BIN)/python -m tests.webui.every_page.walk

lighthouse: apt-test setup  ## Lighthouse's scores of some pages: docs/lighthouse.md; needs npm
	$(BIN)/python -m tests.webui.every_page.lighthouse

firmware: setup  ## the line card's firmware, compiled for its controller: build/firmware
	$(BIN)/python -m firmware.release compile build/firmware --hardware branchline-e1

deb: apt-image setup  ## Debian packages for a plain Debian 12: build/deb
	$(BIN)/python -m images.packages $(ARGS)

image: deb  ## the bootable image and its update bundle, root needed: build/image; ARGS='--key ... --cert ...'
	$(BIN)/python -m images $(ARGS)

hil: apt-hil apt-image setup  ## the bench: BENCH=qemu, the image in a virtual machine; ARGS='boot update'
	$(BIN)/python -m hil_tests.$(or $(BENCH),qemu) $(ARGS)

hil-dahdi: apt-hil setup  ## real DAHDI and netem in QEMU: the line contract, calls with libpri, TDMoE; three minutes
	$(BIN)/python -m hil_tests.dahdi $(ARGS)

clean:  ## remove what was built; run/ and var/ (calls, recordings) stay
	rm -rf build $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info webui/translations/*/LC_MESSAGES/*.mo
	find . -name __pycache__ -prune -exec rm -rf {} +

setup: $(VENV)/ready

# A virtual environment knows its own path: one that was moved or copied here is made again.
IN_PLACE := grep -qsF "$(CURDIR)/$(BIN)/python" $(BIN)/pip
ifneq ($(shell $(IN_PLACE) && echo yes),yes)
.PHONY: $(VENV)/ready
endif

$(VENV)/ready: pyproject.toml constraints.txt $(wildcard webui/translations/*/LC_MESSAGES/*.po)
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: Branchline needs Python 3.11 (Debian 12 has it)"; exit 69; }
	@$(IN_PLACE) || $(PYTHON) -m venv --clear $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	$(BIN)/pybabel -q compile -d webui/translations
	$(BIN)/python -m compileall -q appliance e1_driver firmware webui    # a daemon that is started again is up sooner
	touch $@

apt-run:
	@$(call apt_install,$(RUN_PACKAGES))

apt-test:
	@$(call apt_install,$(TEST_PACKAGES))

apt-hil:
	@$(call apt_install,$(HIL_PACKAGES))

apt-image:
	@$(call apt_install,$(IMAGE_PACKAGES))

# Asks for nothing when everything is there, so that an offline machine with the packages works.
define apt_install
missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
if [ -n "$$missing" ]; then \
  echo "installing:" $$missing; \
  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
  apt="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"; \
  $$apt update || true; \
  $$apt install -y --no-install-recommends $$missing >/dev/null; \
fi
endef
