"""The laptop's connection against a real Mosquitto; devices are whoever answers in their name."""

import getpass
import socket
import threading
from dataclasses import replace

import pytest

from deploy.broker import find_free_port
from deploy.mosquitto.credentials import create_credentials
from shared.command_line import PASSWORD_VARIABLE
from shared.messages import Availability, RestartRequest, ViewRequest, encode
from shared.topics import Topics
from tests.conftest import run_broker, wait_until
from tests.deploy.recipe import MISSING, Recipe
from tests.proxy import Proxy
from tests.trainer.hearsay import EVENT
from trainer.broker import Broker
from trainer.broker_settings import BrokerSettings
from trainer.errors import BadSettingError, BrokerError, NoAnswerError, RefusedRequestError
from trainer.words import Nonsense, Word, list_topics

DESK = Topics("desk")

# When TLS fails, paho 2.1 leaves it to the garbage collector to close the connection.
PAHO_FORGETS_A_SOCKET = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <ssl\.SSLSocket:pytest.PytestUnraisableExceptionWarning"
)


def settings(port, **more):
    return BrokerSettings("127.0.0.1", port, **more)


def hear_until(laptop, condition):
    """Hear until a condition of all that was heard holds; returns it."""
    heard = []

    def listen():
        heard.extend(laptop.hear(0.05))
        return condition(heard)

    wait_until(listen)
    return heard


def test_what_is_said_is_heard_and_a_copy_is_not(broker, speak):
    with Broker(settings(broker.port)) as laptop:
        laptop.subscribe(*list_topics())
        speaker = speak()
        for message in (EVENT, EVENT, replace(EVENT, id="two")):
            speaker.say(DESK.event, encode(message))
        speaker.say(DESK.health, b"\xff")
        heard = hear_until(laptop, lambda heard: any(isinstance(word, Nonsense) for word in heard))
    assert [word.message.id for word in heard if isinstance(word, Word)] == ["one", "two"]


def test_after_the_broker_was_away_everything_is_subscribed_to_again(broker, speak):
    with Broker(settings(broker.port)) as laptop:
        laptop.subscribe(*list_topics())
        broker.stop()
        hear_until(laptop, lambda _: not laptop.connected)
        assert laptop.problem.startswith(f"lost 127.0.0.1:{broker.port}")
        assert laptop.problem.endswith("connecting anew")
        assert laptop.hear(0.01) == []
        broker.start()
        hear_until(laptop, lambda _: laptop.connected)
        assert laptop.problem is None
        speak().say(DESK.event, encode(EVENT))
        (word,) = hear_until(laptop, lambda heard: heard)
    assert word.message == EVENT


def test_a_connection_that_is_cut_is_made_again(broker):
    proxy = Proxy(broker.port)
    with Broker(settings(proxy.port)) as laptop:
        proxy.hang_up()
        hear_until(laptop, lambda _: not laptop.connected)
        hear_until(laptop, lambda _: laptop.connected)
    proxy.close()


def test_without_a_broker_it_is_said_what_to_do():
    with pytest.raises(BrokerError, match=r"no broker at .*start one, or name yours with --broker"):
        Broker(settings(find_free_port())).__enter__()


def test_a_host_that_there_is_not_is_told_from_a_broker_that_there_is_not():
    with pytest.raises(BrokerError, match=r"no host nobody\.invalid .*check --broker"):
        Broker(BrokerSettings("nobody.invalid")).__enter__()


def test_something_else_than_a_broker_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(BrokerError, match="is it an MQTT broker"):
            Broker(settings(listener.getsockname()[1])).__enter__()
        thread.join()


def test_a_broker_that_knows_us_not_tells_which_options_to_check(password_broker, tmp_path, monkeypatch):
    port = password_broker.port
    password = tmp_path / "password"
    password.write_text("secret\n")
    monkeypatch.setenv(PASSWORD_VARIABLE, "wrong")
    for refused in (settings(port), settings(port, username="bench")):
        with pytest.raises(
            BrokerError, match=r"refuses us \(Not authorized\): check --username and the password"
        ):
            Broker(refused).__enter__()
    with Broker(settings(port, username="bench", password_file=password)) as laptop:
        assert laptop.connected
    monkeypatch.setenv(PASSWORD_VARIABLE, "secret")
    with Broker(settings(port, username="bench")) as laptop:
        assert laptop.connected


def test_a_password_that_cannot_be_read_is_said_before_anything_else(tmp_path):
    with pytest.raises(BadSettingError, match="--password-file"):
        Broker(settings(1883, username="bench", password_file=tmp_path / "missing"))


@pytest.fixture(scope="module")
def credentials(tmp_path_factory):
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    folder = tmp_path_factory.mktemp("credentials") / "ours"
    create_credentials(folder, ["localhost"], {"laptop": "laptop", "desk": "device"})
    return folder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, credentials):
    recipe = Recipe(tmp_path_factory.mktemp("recipe"), credentials)
    yield recipe
    recipe.stop()


def test_the_recipes_laptop_is_let_in_by_password_and_by_certificate(recipe, credentials, monkeypatch):
    own = credentials / "laptop"
    by_password = BrokerSettings(
        "localhost",
        recipe.password_port,
        username="laptop",
        password_file=own / "password",
        tls=True,
        ca_file=own / "ca.crt",
    )
    by_certificate = BrokerSettings(
        "localhost",
        recipe.certificate_port,
        tls=True,
        ca_file=own / "ca.crt",
        certificate_file=own / "client.crt",
        key_file=own / "client.key",
    )
    for accepted in (by_password, by_certificate):
        with Broker(accepted) as laptop:
            laptop.subscribe(*list_topics())
            with Broker(by_password) as other:
                other.publish(DESK.event, encode(EVENT))
            (word,) = hear_until(laptop, lambda heard: heard)
            assert word.message == EVENT


@PAHO_FORGETS_A_SOCKET
def test_what_tls_does_not_like_is_said_with_the_option_to_check(recipe, credentials, broker, tmp_path):
    own = credentials / "laptop"
    tls = BrokerSettings("localhost", recipe.password_port, tls=True)
    trusting = replace(tls, ca_file=own / "ca.crt")
    for refused, message in (
        (tls, r"not to be trusted \(.*\): check --ca"),
        (replace(trusting, host="127.0.0.1"), r"not to be trusted \(.*certificate is for 127\.0\.0\.1"),
        (replace(trusting, port=recipe.certificate_port), r"certificate of ours \(--certificate, --key\)"),
        (replace(trusting, port=broker.port, host="127.0.0.1"), r"does not agree to TLS"),
        (BrokerSettings("localhost", recipe.password_port), r"does it want --tls"),
    ):
        with pytest.raises(BrokerError, match=message):
            Broker(refused).__enter__()


def test_certificates_that_cannot_be_used_are_said_before_anything_else(credentials, tmp_path):
    own = credentials / "laptop"
    tls = BrokerSettings(tls=True)
    for bad, option in (
        (replace(tls, ca_file=tmp_path / "missing"), "--ca"),
        (replace(tls, ca_file=own / "password"), "--ca"),
        (
            replace(tls, certificate_file=own / "client.crt", key_file=credentials / "desk" / "client.key"),
            "--key",
        ),
    ):
        with pytest.raises(BadSettingError, match=option):
            Broker(bad)


def test_a_device_answers_and_what_else_was_said_is_heard_afterwards(broker, speak):
    speaker = speak({"status": "ok", "data": {"seconds": 0}})
    with Broker(settings(broker.port)) as laptop:
        laptop.subscribe(DESK.event)
        speaker.say(DESK.event, encode(EVENT))
        assert laptop.ask("desk", ViewRequest(seconds=3)) == {"seconds": 0}
        heard = hear_until(laptop, lambda heard: heard)
    assert heard[0].message == EVENT
    assert speaker.asked[0]["seconds"] == 3


def test_only_the_answer_to_what_was_asked_counts(broker, speak):
    others = {"status": "error", "error": "not yours", "transaction": "another's"}
    speak(b"\xff", others, others | {"transaction": [1]}, {"status": "ok"})
    with Broker(settings(broker.port)) as laptop:
        assert laptop.ask("desk", RestartRequest()) == {}


def test_a_refusal_is_told_and_steers_no_terminal(broker, speak):
    speak({"status": "error", "error": "not \x1b[2Jnow"})
    with Broker(settings(broker.port)) as laptop, pytest.raises(RefusedRequestError) as refusal:
        laptop.ask("desk", RestartRequest())
    assert str(refusal.value) == "desk refuses: not \\x1b[2Jnow"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, r"no device called desk on 127\.0\.0\.1:\d+: there is none"),
        ({"kitchen": "online"}, r"no device called desk on 127\.0\.0\.1:\d+: there is kitchen$"),
        ({"desk": "offline"}, "desk is offline: has it power and network"),
    ],
    ids=["no device", "another device", "offline"],
)
def test_where_nobody_listens_it_is_said_at_once_why(broker, speak, said, message):
    speaker = speak()
    for device, state in said.items():
        speaker.say(Topics(device).availability, encode(Availability(state)), retain=True)
    speaker.close()
    with Broker(settings(broker.port)) as laptop, pytest.raises(NoAnswerError, match=message):
        laptop.ask("desk", RestartRequest(), timeout_s=300)  # which it does not wait for


def test_a_device_that_is_online_but_silent_is_told_with_what_it_said_instead(broker, speak):
    speaker = speak(b'{"status":"error","error":"at most 5 requests a second"}')
    speaker.say(DESK.availability, encode(Availability("online")), retain=True)
    with Broker(settings(broker.port)) as laptop, pytest.raises(NoAnswerError) as silence:
        laptop.ask("desk", RestartRequest(), timeout_s=1)
    assert "online but did not answer within 1 s; it said: at most 5 requests a second" in str(silence.value)


def test_a_broker_that_goes_while_we_wait_ends_the_waiting(broker, speak):
    speak()
    with Broker(settings(broker.port)) as laptop:
        threading.Timer(0.5, broker.stop).start()
        with pytest.raises(BrokerError, match="lost"):
            laptop.ask("desk", RestartRequest(), timeout_s=60)
        with pytest.raises(BrokerError, match="lost"):
            laptop.ask("desk", RestartRequest())
    broker.start()


def test_a_broker_that_does_not_let_us_ask_is_told(tmp_path):
    rules = tmp_path / "acl"
    rules.write_text("topic read inkling/#\n")
    rules.chmod(0o644)
    for broker in run_broker(
        tmp_path / "reading", f"user {getpass.getuser()}\nallow_anonymous true\nacl_file {rules}\n"
    ):
        with (
            Broker(settings(broker.port)) as laptop,
            pytest.raises(BrokerError, match="does not let us ask desk"),
        ):
            laptop.ask("desk", RestartRequest())
