"""Every command that a page tells the reader to type is typed here, in order, or it is said why not."""

import re
import shlex
import shutil

import pytest

from deploy.broker import find_mosquitto
from edge.cli import build_parser as edge_parser
from tests.conftest import ROOT
from tests.end_to_end.sandbox import Command, Sandbox, read_commands
from trainer.cli import build_parser as trainer_parser

# In the order in which somebody reads them.
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "trainer/README.md",
        "shared/README.md",
        "edge/README.md",
        "deploy/mosquitto/README.md",
        "deploy/home_assistant/README.md",
        "deploy/prometheus.md",
        "deploy/cluster.md",
        "deploy/messages/README.md",
        "deploy/emulated_pi/README.md",
    )
]

# What each prints, among other things: a regular expression.
SAYS = {
    ". .venv/bin/activate": "",
    "inkling-trainer fetch": "MNIST is already in",
    "inkling-trainer train -o weights.npz": r"test: 9[78]\.\d+% of 10,000 images read right",
    "inkling-trainer evaluate weights.npz --picture confusion.png": "confusion matrix drawn to confusion.png",
    "inkling-trainer show weights.npz": "784 - 200 - 10",
    "inkling-trainer report weights.npz -o report.html": "report written to report.html",
    "inkling-trainer compare weights.npz rotated.npz": "McNemar's test",
    "inkling-trainer backquery weights.npz -o mind.png": "three pictures of each digit drawn to mind.png",
    "inkling-trainer convert weights.npz -o small.npz": "small.npz: 135 kB as int8",
    "inkling-trainer experiment damage --quick -o experiments": "table in +experiments/damage.csv",
    "inkling-trainer show-augmentation -o augmentation.png": "augmentation drawn to augmentation.png",
    "inkling-edge classify photograph.jpg": r"photograph\.jpg: 3 \(confidence",
    "inkling-edge classify --json photograph.jpg another.png": r'"path": "another.png", "digit": 5',
    "inkling-trainer explain photograph.jpg -o explanation.png": "explanation drawn to explanation.png",
    "mosquitto -p 1883 -d": "",
    "export GPIOZERO_PIN_FACTORY=mock GPIOZERO_MOCK_PIN_CLASS=mockpwmpin": "",
    "inkling-edge check --config deploy/simulated.toml": "ok   broker",
    "inkling-trainer view desk": "what desk sees is in view.jpg",
    "inkling-trainer configure desk confidence=0.8 brightness=0.3": "brightness",
    "inkling-trainer restart desk": "desk",
    "inkling-trainer add-photos photographs/": "2 added to .*, 2 of them with a label",
    "inkling-trainer label --sheet sheet.png --all": "digits drawn to sheet.png",
    "inkling-trainer label --set 1=7": "1 labelled",
    "inkling-trainer keygen": r"\[network\]\n +keys = ",
    "inkling-trainer deliver weights.npz --device desk": "desk runs [0-9a-f]{12}",
    "inkling-trainer deliver weights.npz --all": "desk runs [0-9a-f]{12}",
    "inkling-trainer deliver --follow --device desk": "desk does as all devices do again",
    "inkling-trainer rollback --device desk": "desk runs [0-9a-f]{12}",
    "inkling-edge classify --confidence 0.7 photograph.jpg": r"photograph\.jpg: 3 \(confidence",
    "inkling-edge check --config deploy/simulated.toml --json": r'"part": "broker", "ok": true',
    ".venv/bin/python -m deploy.mosquitto.credentials credentials --broker broker.lan --broker 192.168.1.10 "
    "--device desk --device kitchen --laptop laptop --home-assistant home-assistant": "kitchen",
    ".venv/bin/python -m deploy.mosquitto.credentials credentials --device attic": "attic",
    ".venv/bin/python -m deploy.mosquitto.credentials credentials --lock-out kitchen": "acl passwords",
    ".venv/bin/python -m deploy.mosquitto.credentials credentials --reader prometheus": "prometheus",
}

# What asks at the terminal: what it prints then, and the keys that answer it.
ASKS = {"inkling-trainer label": ("0-9 what it is", "7q")}

# What goes on until Ctrl-C, and what it prints until then.
GOES_ON = {
    "inkling-edge run --config deploy/simulated.toml --show": r"reads \d, confidence",
    "inkling-trainer watch": r"desk.* \d",
    "inkling-trainer dashboard": r"open http://127\.0\.0\.1:\d+/",
    "mosquitto_sub -h localhost -t 'inkling/+/prediction' -v": r'inkling/desk/prediction \{"digit":\d',
    "inkling-trainer collect": r"desk: \d+ is read as \d",
}

# What would take too long, and what stands in for it.
STAND_INS = {
    "inkling-trainer train --rotate --epochs 30 -o rotated.npz": (
        "inkling-trainer train --rotate --epochs 1 -o rotated.npz",
        "takes 18 s of CPU time; that many epochs differ in nothing but their number",
    ),
}

# What no test types, and why, or which test does it in another way.
NOT_TYPED = {
    "make demo": "tests/end_to_end/test_demo.py, with fewer digits",
    "make test": "would run itself",
    "make .venv/ready": "has set up what runs this test",
    "make check": "make test begins with it",
    ".venv/bin/python -m pytest tests/shared": "runs tests that run anyhow",
    ".venv/bin/python -m pytest tests/shared/test_feedforward.py": "runs tests that run anyhow",
    ".venv/bin/python -m pytest -k settling": "runs tests that run anyhow",
    "make lessons": "tests/trainer/test_lessons.py runs every lesson, without a browser",
    "inkling-trainer retrain --from weights.npz -o new.npz": "takes 22 s of CPU time: "
    "tests/end_to_end/test_own_digits.py and tests/trainer/test_retraining.py, with fewer pictures",
    "sudo apt install mosquitto": "changes the machine",
    "sudo install -d -o mosquitto -g mosquitto -m 700 /etc/mosquitto/inkling": "changes the machine: "
    "tests/deploy/test_credentials.py and tests/deploy/test_mosquitto.py run a broker with these files",
    "sudo install -o mosquitto -g mosquitto -m 600 acl passwords ca.crt broker.crt broker.key "
    "/etc/mosquitto/inkling/": "changes the machine",
    "sudo install -m 644 inkling.conf /etc/mosquitto/conf.d/": "changes the machine",
    "sudo systemctl restart mosquitto": "changes the machine",
    "mosquitto_sub -h broker.lan -p 8883 --cafile credentials/laptop/ca.crt "
    "-u laptop -P \"$(cat credentials/laptop/password)\" -t 'inkling/#' -v": "needs a broker at the usual "
    "port for TLS: tests/deploy/test_mosquitto.py asks one at a port of its own",
    "sudo install -o mosquitto -g mosquitto -m 600 acl passwords /etc/mosquitto/inkling/": "changes the "
    "machine",
    "sudo systemctl reload mosquitto": "changes the machine: tests/deploy/test_mosquitto.py sends the signal",
    "mosquitto_pub -h BROKER -r -n -t homeassistant/device/OLD-NAME/config": "names nobody's broker",
    "sudo systemctl restart inkling-edge": "tests/deploy/test_under_systemd.py, in a Debian of its own",
    "sudo apt install prometheus-mqtt-exporter": "changes the machine: tests/deploy/test_exporter.py runs "
    "the exporter where it is installed",
    "sudo install -d -o prometheus -m 700 /etc/prometheus/inkling": "changes the machine",
    "sudo install -o prometheus -m 600 ca.crt client.crt client.key /etc/prometheus/inkling/": "changes the "
    "machine",
    "sudo install -m 644 mqtt-exporter.yaml /etc/prometheus/": "changes the machine",
    "sudoedit /etc/prometheus/mqtt-exporter.yaml": "opens an editor",
    "echo 'ARGS=\"-listen-address 127.0.0.1\"' | sudo tee /etc/default/prometheus-mqtt-exporter": "changes "
    "the machine",
    "sudo systemctl restart prometheus-mqtt-exporter": "changes the machine",
    "curl -s localhost:9641/metrics | grep inkling": "needs the exporter at its usual port: "
    "tests/deploy/test_exporter.py asks it at a port of its own",
    'cd credentials && for file in */password; do echo "$(dirname "$file"):$(cat "$file")"; done > '
    "vmq.passwd": "is for VerneMQ, which Debian has not",
    "vmq-passwd -U vmq.passwd": "is for VerneMQ, which Debian has not",
}

COMMANDS = [command for page in PAGES for command in read_commands(page)]


def test_every_page_with_commands_is_read_here():
    places = ("*.md", "deploy/**/*.md", "edge/**/*.md", "shared/**/*.md", "trainer/**/*.md")
    pages = [page for place in places for page in ROOT.glob(place)]
    assert [page for page in pages if page not in PAGES and read_commands(page)] == []


def test_every_command_is_typed_or_it_is_said_why_not():
    known = {*SAYS, *ASKS, *GOES_ON, *STAND_INS, *NOT_TYPED}
    assert [command for command in COMMANDS if command.text not in known] == []
    assert known - {command.text for command in COMMANDS} == set(), "no page has these any more"


def test_commands_within_a_sentence_have_options_that_are_there():
    parsers = {"inkling-trainer": trainer_parser(), "inkling-edge": edge_parser()}
    found = 0
    for page in PAGES:
        for text in re.findall(r"`(inkling-(?:trainer|edge) [^`]+)`", page.read_text()):
            program, *arguments = shlex.split(text)
            parsers[program].parse_args(arguments)  # would end with status 2
            found += 1
    assert found


def test_what_stands_in_for_a_command_is_there():
    named = re.findall(r"tests/\w+/\w+\.py", " ".join(NOT_TYPED.values()))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_command_works_as_it_is_typed(tmp_path, mnist):
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    without = {"mosquitto_sub"} if shutil.which("mosquitto_sub") is None else set()
    sandbox = Sandbox(tmp_path, mnist)
    try:
        for command in COMMANDS:
            if command.text.split()[0] not in without:
                _type(sandbox, command)
    finally:
        sandbox.close()
    if without:
        pytest.skip("all but mosquitto_sub works, which is not installed: apt-get install mosquitto-clients")


def _type(sandbox: Sandbox, command: Command) -> None:
    """Type one command, unless it is said why not."""
    if command.text == "inkling-trainer watch":
        sandbox.start_desk()
    if command.text in STAND_INS:
        sandbox.run(command._replace(typed=STAND_INS[command.text][0]))
    elif command.text in GOES_ON:
        sandbox.watch(command, GOES_ON[command.text])
    elif command.text in ASKS:
        sandbox.watch(command, *ASKS[command.text])
    elif command.text in SAYS:
        said = sandbox.run(command)
        assert re.search(SAYS[command.text], said), f"{command.where}: {command.typed}\n{said}"
        if command.text == "inkling-trainer keygen":  # as it says: its lines go into the configuration
            sandbox.start_desk(re.findall(r"keys = (\[.*\])", said)[0])
