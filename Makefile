# `make demo` runs the whole loop; `make test` checks everything. Both set up what they need first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-deb virtual-camera check deb lessons weights surroundings benchmark benchmark-seeing count-instructions endurance emulated-pi clean

demo: $(VENV)/ready mnist
	$(BIN)/python -m deploy.demo

test: $(VENV)/ready mnist-if-possible browser-if-possible check
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

# Installs the package in clean Debians, some of them for a Pi's processor, and runs the service under systemd: as
# root on Debian 12, on a PC, in a quarter of an hour.
test-deb: deb
	deploy/install.sh arch-test lintian mmdebstrap qemu-user-static systemd-container
	-deploy/emulated_pi/enable.sh
	$(BIN)/python -m pytest -m deb tests/deploy

# What is installed on a Pi: build/inkling-edge_*_all.deb.
deb: $(VENV)/ready
	deploy/package.sh $(BIN) build

# The tests of the Pi's camera run where this has made its root, in the user's cache, and are skipped elsewhere.
virtual-camera:
	PYTHON="$(PYTHON)" deploy/virtual_camera/setup.sh

check: $(VENV)/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# A browser opens with the first lesson; Ctrl-C here, twice, ends it.
lessons: $(VENV)/lessons mnist
	$(BIN)/jupyter lab $$(test "$$(id -u)" -ne 0 || echo --allow-root) trainer/lessons/01_predicting_machine.py

# A lesson opens as a notebook, and not as the text that it is kept as.
$(VENV)/lessons: $(VENV)/ready deploy/jupyterlab.json
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[lessons]'
	install -D -m 644 deploy/jupyterlab.json $(VENV)/etc/jupyter/labconfig/default_setting_overrides.json
	touch $@

# The weights that ship: two hidden layers, MNIST deformed, and simulated paper with and without digits.
weights: $(VENV)/ready mnist fonts
	$(BIN)/inkling-trainer simulate $(VENV)/simulated.npz --count 280000
	$(BIN)/inkling-trainer train --also $(VENV)/simulated.npz --hidden 300 100 --activation relu --biases --deform 0.7 \
		--calm 0.5 --learning-rate 0.1 --epochs 100 --averaging 4 --hold-out 5000 --calibrate \
		--output shared/default_weights.npz

# The finder's own network, which tells digits that are held up by what is around them.
surroundings: $(VENV)/ready mnist fonts
	$(BIN)/python -m trainer.surroundings

benchmark: $(VENV)/ready mnist fonts
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[benchmark]'
	$(BIN)/python -m tests.benchmarks.train_speed
	$(BIN)/python -m tests.benchmarks.query_speed
	$(BIN)/python -m tests.benchmarks.refusals

# The second part runs on an emulated Pi, for which it must be root, on Debian 12.
benchmark-seeing: $(VENV)/ready mnist
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[benchmark]'
	$(BIN)/python -m tests.benchmarks.seeing_recipes
	$(BIN)/python -m tests.benchmarks.seeing_instructions

# On an emulated Pi, too: what the daemon costs, against tests/benchmarks/instructions.json; 5 % more fails.
count-instructions: $(VENV)/ready
	$(BIN)/python -m tests.benchmarks.daemon_instructions

# An emulated Pi Zero is switched on, with Inkling from its package; as root on Debian 12, in a quarter of an hour.
emulated-pi: deb
	$(BIN)/python -m deploy.emulated_pi.drive --package $$(ls build/inkling-edge_*_all.deb)

# A day of the daemon, in minutes: does it grow?
endurance: $(VENV)/ready
	$(BIN)/python -m tests.benchmarks.endurance

$(VENV)/ready: pyproject.toml deploy/setup.sh
	PYTHON="$(PYTHON)" deploy/setup.sh $(VENV)
	touch $@

.PHONY: fonts mnist mnist-if-possible browser-if-possible count-instructions-if-possible
fonts: $(VENV)/ready
	missing=$$($(BIN)/python -m trainer.fonts) && { test -z "$$missing" || deploy/install.sh $$missing; }

mnist: $(VENV)/ready
	deploy/fetch-mnist.sh $(BIN)

# Without MNIST the tests that need it are skipped, and say so.
mnist-if-possible: $(VENV)/ready
	-deploy/fetch-mnist.sh $(BIN)

# Without a browser, or what drives it, the tests that look at the dashboard's page are skipped, and say so.
browser-if-possible: $(VENV)/ready
	-{ command -v chromium && $(BIN)/python -m playwright --version; } >/dev/null 2>&1 || deploy/install.sh chromium libatomic1

# Where no Pi can be emulated that is said, and is no failure: 75 is tests.benchmarks.emulated_pi.UNAVAILABLE.
count-instructions-if-possible: $(VENV)/ready
	$(BIN)/python -m tests.benchmarks.daemon_instructions || test $$? -eq 75

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
