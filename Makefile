# The two commands a newcomer needs are `make agent` and `make test`. Both set up what they use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: agent test demo stories pythons bench lint format types page man ui-shots docs reference sim soak fuzz soak-gossip clean

agent: $(VENV)/.installed
	$(BIN)/proconsul agent -dev

# Two datacenters with services on this machine, and what to try with them.
demo: $(VENV)/.installed
	@$(BIN)/python scripts/demo.py

# Three workers for two processors: half of the time of tests that start programs is waiting for elections.
test: $(VENV)/.installed-dev
	$(BIN)/python scripts/fetch_reference.py
	$(BIN)/python scripts/fetch_node_tools.py
	$(BIN)/ruff check src tests scripts benchmarks examples
	$(BIN)/mypy
	PROCONSUL_REFERENCE="$(CURDIR)/.reference/usr/bin/consul" $(BIN)/pytest -q -n 3 --dist loadfile

# What operators went through, in real time and size: minutes each. `make test` plays the short ones.
stories: $(VENV)/.installed-docs
	$(BIN)/python scripts/fetch_reference.py
	PROCONSUL_REFERENCE="$(CURDIR)/.reference/usr/bin/consul" $(BIN)/pytest -q -m long --timeout 1800

# The manual page, from the command table.
man: $(VENV)/.installed
	@mkdir -p build
	$(BIN)/python scripts/make_man.py > build/proconsul.1

# The tests that need no other program, on each Python from 3.11 to 3.14 that can be had, then with the oldest and the
# newest dependencies that pyproject.toml allows. Half an hour.
pythons: $(VENV)/.installed-dev
	$(BIN)/python scripts/try_pythons.py
	$(BIN)/python scripts/try_pythons.py --only 3.11 --with oldest
	$(BIN)/python scripts/try_pythons.py --only 3.14 --with newest

bench: $(VENV)/.installed-dev
	$(BIN)/python scripts/fetch_reference.py
	PROCONSUL_REFERENCE="$(CURDIR)/.reference/usr/bin/consul" $(BIN)/python -m benchmarks
	PROCONSUL_REFERENCE="$(CURDIR)/.reference/usr/bin/consul" $(BIN)/python -m benchmarks.gossip
	PROCONSUL_REFERENCE="$(CURDIR)/.reference/usr/bin/consul" $(BIN)/python -m benchmarks.cluster
	PROCONSUL_REFERENCE="$(CURDIR)/.reference/usr/bin/consul" $(BIN)/python -m benchmarks.agents
	PROCONSUL_REFERENCE="$(CURDIR)/.reference/usr/bin/consul" $(BIN)/python -m benchmarks.large
	PROCONSUL_REFERENCE="$(CURDIR)/.reference/usr/bin/consul" $(BIN)/python -m benchmarks.page
	$(BIN)/python -m benchmarks.client
	PROCONSUL_REFERENCE="$(CURDIR)/.reference/usr/bin/consul" $(BIN)/python -m benchmarks.testing

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check src tests scripts benchmarks examples

format: $(VENV)/.installed-dev
	$(BIN)/ruff format src tests scripts benchmarks examples

types: $(VENV)/.installed-dev
	$(BIN)/python scripts/fetch_node_tools.py
	$(BIN)/mypy
	$(BIN)/pytest -q -m '' tests/ui/test_ui_types.py tests/types

# The web page, from its modules; what is built is kept in the repository.
page: $(VENV)/.installed-dev
	$(BIN)/python scripts/fetch_node_tools.py
	$(BIN)/python scripts/build_page.py

# Every screen of the page as a picture, for people: both themes, two sizes.
ui-shots: $(VENV)/.installed-dev
	$(BIN)/python scripts/ui_shots.py

# The documentation site, into site/. A warning is an error: links and anchors are looked up.
docs: $(VENV)/.installed-docs
	$(BIN)/python scripts/make_reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The pages of docs/reference, from the types and tables; they are kept in the repository, and a test compares.
reference: $(VENV)/.installed
	$(BIN)/python scripts/make_reference.py

# Longer runs of the simulators than `make test` does.
sim: $(VENV)/.installed-dev
	RAFT_SEEDS=2000 $(BIN)/pytest -q tests/raft -k simulat
	GOSSIP_SEEDS=1000 $(BIN)/pytest -q -n 2 tests/gossip/test_simulation.py
	CLUSTER_SEEDS=2000 $(BIN)/pytest -q -n 2 tests/simulation/test_cluster_simulation.py
	AGENT_SEEDS=500 $(BIN)/pytest -q -n 2 tests/simulation/test_agent_simulation.py
	FEDERATION_SEEDS=500 $(BIN)/pytest -q -n 2 tests/simulation/test_federation_simulation.py

# A gossip pool of thousands with minutes of churn, in one process: three minutes, 1.2 GB.
soak: $(VENV)/.installed-dev
	GOSSIP_SOAK=5000 $(BIN)/pytest -q -s tests/gossip/test_gossip_scale.py -k soak

# A coverage-guided search of what gossip's decoders cannot cope with. The tool has wheels for few platforms, so only this
# target installs it.
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.installed-fuzz
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python tests/fuzz/fuzz_gossip.py

# A mixed pool of twelve processes that loses every twentieth packet: nobody may be declared dead.
GOSSIP_SOAK_SECONDS ?= 600
soak-gossip: $(VENV)/.installed-dev
	$(BIN)/python scripts/fetch_reference.py
	GOSSIP_SOAK_SECONDS=$(GOSSIP_SOAK_SECONDS) $(BIN)/pytest -q -s tests/interop/test_packet_loss.py

$(VENV)/.installed-fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: "atheris>=3.0,<4"
	touch $@

$(VENV)/bin/python:
	$(PYTHON) scripts/make_venv.py $(VENV)

$(VENV)/.installed: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-dev requirements-docs.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-docs.lock
	touch $@

clean:
	rm -rf $(VENV) .reference .pythons .node .shots site .pytest_cache .mypy_cache .ruff_cache
