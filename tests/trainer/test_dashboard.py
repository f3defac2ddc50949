"""The dashboard's server: whom it answers, what it says, and what nobody can make it say."""

import base64
import json
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.digit_image import normalise, to_inputs
from shared.messages import encode_image
from shared.strokes import draw_digit
from shared.weights import load_weights
from tests.conftest import ROOT, run_broker, wait_until
from tests.dashboard import Dashboard
from tests.end_to_end.commands import TRAINER, run
from tests.trainer.hearsay import EVENT, PAYLOADS, TOPICS
from trainer.broker_settings import BrokerSettings
from trainer.dashboard.app import PAGE, Server, Settings
from trainer.dashboard.devices import MOST_DEVICES, MOST_READINGS, Devices
from trainer.dashboard.keeper import Keeper
from trainer.dashboard.reader import Reader, find_contributions
from trainer.dashboard.shelf import Shelf
from trainer.library import Library
from trainer.own_digits import NOTHING
from trainer.words import Interpreter, Nonsense

PICTURE = encode_image(draw_digit(7, np.random.default_rng(3)))


@pytest.fixture(scope="module")
def reader():
    return Reader(load_weights())


@pytest.fixture(scope="module")
def shared_broker(tmp_path_factory):
    yield from run_broker(tmp_path_factory.mktemp("dashboard") / "broker")


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory, shared_broker):
    """One that only this machine can open."""
    dashboard = Dashboard(tmp_path_factory.mktemp("local"), shared_broker.port)
    yield dashboard
    assert dashboard.stop() == 0
    assert not dashboard.log.read_text()


@pytest.fixture(scope="module")
def open_dashboard(tmp_path_factory, shared_broker):
    """One that everybody can reach, and only who has the token can open."""
    dashboard = Dashboard(tmp_path_factory.mktemp("open"), shared_broker.port, "--host", "0.0.0.0")
    yield dashboard
    assert dashboard.stop() == 0


def say(broker_port, *messages):
    """Say something in devices' names."""
    from tests.trainer.speaker import Speaker

    speaker = Speaker(broker_port)
    for topic, payload in messages:
        speaker.say(topic, payload)
    speaker.close()


def make_event(**changes):
    content = {**vars(EVENT), "outputs": list(EVENT.outputs), "image": PICTURE, **changes}
    return json.dumps(content).encode()


def open_socket(dashboard, **headers):
    """Ask for the WebSocket; gives the first line of the answer."""
    sent = {
        "Host": dashboard.host,
        "Origin": f"http://{dashboard.host}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    port = int(dashboard.host.rpartition(":")[2])
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"GET /live HTTP/1.1\r\n{lines}\r\n".encode())
        return connection.recv(4096).split(b"\r\n")[0].decode()


def test_the_page_is_served_and_lets_nothing_in_from_elsewhere(dashboard):
    status, body, headers = dashboard.ask("/")
    assert status == 200
    assert b"<title>Inkling</title>" in body
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "101" in open_socket(dashboard)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", ""])
def test_a_name_that_is_not_this_machines_is_not_answered(dashboard, host):
    # As a page does whose name was made to lead here ("DNS rebinding").
    status, body, _ = dashboard.ask("/digits", Host=host, Origin=f"http://{host}")
    assert status in (400, 421)
    assert b"digits" not in body


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "https://127.0.0.1"])
def test_other_pages_cannot_ask_in_their_visitors_name(dashboard, origin):
    status, _, _ = dashboard.ask("/label", {"number": 1, "label": 7}, Origin=origin)
    assert status == 403
    assert "403" in open_socket(dashboard, Origin=origin)


@pytest.mark.parametrize(
    "path", ["/", "/live", "/digits", "/inside", "/weights", "/page/main.js", "/?token=wrong", "/nothing"]
)
def test_without_the_token_nothing_answers(open_dashboard, path):
    status, body, headers = open_dashboard.ask(path)
    assert status == 401
    assert body.startswith(b"Open the link")
    assert "set-cookie" not in headers
    wrong = {"Cookie": f"inkling-{open_dashboard.host.rpartition(':')[2]}=wrong"}
    assert open_dashboard.ask(path, **wrong)[0] == 401
    assert "403" in open_socket(open_dashboard, **wrong)


@pytest.fixture(scope="module")
def own_address():
    """An address of this machine that is not only its own, as another machine would use it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of which nothing is sent
        except OSError:
            pytest.skip("this machine has no address in a network")
        return probe.getsockname()[0]


def test_without_the_token_nothing_at_all_answers_at_another_address(open_dashboard, own_address, tmp_path):
    server = Server(Settings(BrokerSettings(), load_weights(), tmp_path / "library.sqlite"))
    paths = [route.path.replace("{digit:int}", "7") for route in server.routes]
    paths += [f"/page/{path.name}" for path in PAGE.iterdir()]
    assert len(paths) > 25
    host = f"{own_address}:{open_dashboard.host.rpartition(':')[2]}"
    asked = {"address": own_address, "Host": host, "Origin": f"http://{host}"}
    for path in paths:
        for content in (None, {}):
            status, body, _ = open_dashboard.ask(path, content, **asked)
            assert (path, status, body[:13]) == (path, 401, b"Open the link")
    cookie = open_dashboard.ask(f"/?token={open_dashboard.token}", **asked)[2]["set-cookie"].partition(";")[0]
    assert open_dashboard.ask("/digits", Cookie=cookie, **asked)[0] == 200


def test_without_being_asked_to_it_is_served_to_this_machine_alone(dashboard, own_address):
    with pytest.raises(ConnectionRefusedError):
        dashboard.ask("/", address=own_address)


def test_with_the_token_in_its_link_it_answers_and_the_token_leaves_the_address(open_dashboard):
    assert len(open_dashboard.token) >= 20
    status, _, headers = open_dashboard.ask(f"/?token={open_dashboard.token}")
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    cookie = headers["set-cookie"].partition(";")[0]
    assert open_dashboard.ask("/", Cookie=cookie)[0] == 200
    assert "101" in open_socket(open_dashboard, Cookie=cookie)
    # Another site's page has the cookie's help and not its own origin's.
    status, _, _ = open_dashboard.ask("/stop", {}, Cookie=cookie, Origin="http://evil.example")
    assert status == 403


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/label", b"\xff{"),
        ("/label", []),
        ("/label", {"number": "1", "label": 7}),
        ("/label", {"number": 1, "label": 10}),
        ("/label", {"number": 1, "label": True}),
        ("/undo", {"change": -1}),
        ("/undo", {"change": 99999}),
        ("/correct", {"device": {}, "seen": 1, "label": 3}),
        ("/read/drawing", b"123"),
        ("/read/image", b"123"),
        ("/read/drawing", bytes(2_000_000)),
        ("/network", {"weights": "../../etc/passwd"}),
        ("/retrain", {"weights": None, "epochs": 1, "seed": 1, "no_digits": 100}),
        ("/deliver", {"act": "explode", "devices": []}),
        ("/deliver", {"act": "back", "devices": "all"}),
        ("/label", b"[" * 60_000),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(dashboard, path, content):
    status, body, _ = dashboard.ask(path, content)
    assert status == 400
    assert json.loads(body)["error"]


def test_a_label_reaches_the_library_and_can_be_taken_back(dashboard, shared_broker):
    def is_kept():
        # Again, as the dashboard may not have been listening yet.
        say(shared_broker.port, ("inkling/desk/event", make_event(id="to label")))
        return dashboard.ask_json("/digits")["count"]

    wait_until(is_kept)
    (digit,) = dashboard.ask_json("/digits?device=desk")["digits"]
    assert (digit["digit"], digit["label"], digit["image"]) == (7, None, PICTURE)
    told = dashboard.ask_json("/label", {"number": digit["number"], "label": "none"})
    with Library(dashboard.library) as library:
        kept = library.take(digit["number"])
        assert (kept.label, kept.label_source) == (NOTHING, "page")
    assert dashboard.ask_json("/digits?state=labelled&digit=none")["matching"] == 1
    assert dashboard.ask_json("/digits?state=unlabelled")["matching"] == 0
    dashboard.ask_json("/undo", {"change": told["change"]})
    with Library(dashboard.library) as library:
        assert library.take(digit["number"]).label is None
    assert "too long ago" in dashboard.ask_json("/undo", {"change": told["change"]})["error"]


def test_a_library_that_can_be_read_again_is_no_longer_complained_of(tmp_path):
    path, said = tmp_path / "library.sqlite", Queue()
    path.write_text("no library at all, but long enough to be taken for one" * 100)
    shelf = Shelf(path, lambda _: None)
    with ThreadPoolExecutor(1) as desk:
        keeper = Keeper(lambda words: desk.submit(shelf.keep, words).result(), said.put)
        keeper.start("it could not be counted")
        assert "damaged, or" in said.get(timeout=60)
        path.unlink()
        assert said.get(timeout=60) is None
        keeper.stop()
        desk.submit(shelf.close).result()


def test_nobody_takes_back_what_another_said_since(dashboard, shared_broker):
    say(shared_broker.port, ("inkling/hall/event", make_event(id="said twice")))
    wait_until(lambda: dashboard.ask_json("/digits?device=hall")["matching"])
    (digit,) = dashboard.ask_json("/digits?device=hall")["digits"]
    first = dashboard.ask_json("/label", {"number": digit["number"], "label": 1})
    dashboard.ask_json("/label", {"number": digit["number"], "label": 7})
    assert "otherwise" in dashboard.ask_json("/undo", {"change": first["change"]})["error"]


def test_a_drawing_is_read_as_the_pi_reads(reader):
    ink = draw_digit(4, np.random.default_rng(0))
    drawing = np.kron(np.rint(ink * 255).astype(np.uint8), np.ones((5, 5), np.uint8))
    told = reader.read_drawing(drawing.tobytes())
    image = normalise(drawing.astype(np.float32) / 255)
    outputs = load_weights().network.query(to_inputs(image))
    assert told["outputs"] == pytest.approx(outputs.tolist(), abs=1e-4)
    assert told["digit"] == int(outputs.argmax())
    assert told["image"] == encode_image(image)


def test_inputs_that_spoke_for_an_answer_are_those_without_which_it_would_be_less(reader):
    network = load_weights().network
    inputs = to_inputs(draw_digit(3, np.random.default_rng(1)))
    digit = int(network.query(inputs).argmax())
    spoke = find_contributions(network, inputs, digit)

    assert network.activation == "relu"

    def add_up(signals):
        for links, bias in zip(network.weights, network.biases, strict=True):
            sums = links.astype(float) @ signals + bias
            signals = np.maximum(sums, 0)
        return sums[digit]

    for place in np.argsort(-np.abs(spoke))[:20]:
        less = inputs.astype(float)
        less[place] -= 1e-3 * (less[place] - 0.01)
        slope = (add_up(inputs.astype(float)) - add_up(less)) / 1e-3
        assert slope == pytest.approx(spoke[place], rel=0.02, abs=1e-4)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(TOPICS, PAYLOADS), max_size=8))
def test_whatever_is_said_can_be_told_to_a_page(messages):
    devices, interpreter = Devices(), Interpreter()
    for topic, payload in messages:
        word = interpreter.interpret(topic, payload, retained=False)
        if word is not None:
            devices.note(word)
    told = [devices.describe(name) for name in devices.names]
    assert json.loads(json.dumps([told, devices.complaint], allow_nan=False).encode().decode())


def test_no_device_and_no_number_of_devices_fills_the_memory():
    devices, interpreter = Devices(), Interpreter()

    def hear(device, kind, payload):
        word = interpreter.interpret(f"inkling/{device}/{kind}", payload, retained=False)
        assert not isinstance(word, Nonsense)
        devices.note(word)

    huge = "x" * 100_000
    for number in range(2 * MOST_READINGS):
        hear("desk", "event", make_event(id=f"{number}{huge}", model=huge, image=huge, ts=huge))
    health = {"uptime_s": 1, "frames_per_s": 1, "frame_ms": 1, "memory_mb": 1, "queued": 0, "dropped": 0}
    health |= {"camera": huge, "leds": huge, "problems": [huge] * 100}
    hear("desk", "health", json.dumps(health).encode())
    hear(
        "desk",
        "info",
        json.dumps({"software": huge, "weights": {"sha256": huge}, "configuration": {}}).encode(),
    )
    told = json.dumps(devices.describe("desk"))
    assert len(devices.describe("desk")["seen"]) == MOST_READINGS
    assert len(told) < 50_000
    for number in range(MOST_DEVICES + 50):
        hear(f"d{number}", "availability", b'{"state":"online"}')
    assert len(devices.names) == MOST_DEVICES
    assert "not shown" in devices.complaint


def test_what_cannot_be_served_is_one_line_that_says_what_to_do(dashboard, tmp_path):
    port = dashboard.host.rpartition(":")[2]
    for options, message in (
        (("--port", port), "is another dashboard running? Choose another --port"),
        (("--port", "70000"), "--port must be 0 to 65535"),
        (("--token", "short"), "--token must have 12 letters and digits or more"),
        (("--weights", "nothing.npz"), "nothing.npz"),
    ):
        result = run(TRAINER, "dashboard", *options, cwd=tmp_path, PYTHONPATH=str(ROOT))
        assert result.returncode == 1
        assert message in result.stderr
        assert result.stderr.count("\n") == 1


def test_no_other_command_waits_for_what_the_page_is_served_with():
    code = "import sys, trainer.cli; sys.exit(bool({'starlette', 'uvicorn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_dashboard_without_a_broker_says_so_and_finds_it_when_it_comes(tmp_path, broker):
    broker.stop()
    dashboard = Dashboard(tmp_path, broker.port)
    assert dashboard.ask("/")[0] == 200
    broker.start()
    say(broker.port, ("inkling/desk/event", make_event(id="late")))

    def is_heard():
        say(broker.port, ("inkling/desk/event", make_event(id=f"late {np.random.default_rng().random()}")))
        return dashboard.ask_json("/digits")["count"]

    wait_until(is_heard)
    assert dashboard.stop() == 0


def test_a_library_that_another_program_holds_is_told_and_nothing_is_lost(tmp_path, shared_broker):
    dashboard = Dashboard(tmp_path, shared_broker.port)

    def is_heard():
        say(shared_broker.port, ("inkling/attic/event", make_event(id=f"{np.random.default_rng().random()}")))
        return dashboard.ask_json("/digits")["count"]

    wait_until(is_heard)
    other = sqlite3.connect(dashboard.library, isolation_level=None)
    other.execute("begin exclusive")
    say(shared_broker.port, ("inkling/porch/event", make_event(id="while it was held")))
    status, body, _ = dashboard.ask("/digits")
    assert status == 409
    assert "library.sqlite" in json.loads(body)["error"]
    other.execute("rollback")
    other.close()
    wait_until(lambda: dashboard.ask_json("/digits?device=porch").get("matching"))
    assert dashboard.stop() == 0
    assert not dashboard.log.read_text()


def test_two_cannot_retrain_at_once(tmp_path, shared_broker):
    dashboard = Dashboard(tmp_path, shared_broker.port, "--data-dir", tmp_path / "nothing")
    wish = {"weights": "what ships with Inkling", "epochs": 1, "no_digits": 100, "seed": 0}
    assert dashboard.ask("/retrain", wish)[0] == 200
    status, body, _ = dashboard.ask("/retrain", wish)
    assert status == 409
    assert "goes on already" in json.loads(body)["error"]
    assert dashboard.stop() == 0  # with what goes on
    assert not list(tmp_path.glob("retrained-*"))
