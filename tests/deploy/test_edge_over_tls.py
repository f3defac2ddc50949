"""The device's own connection to the broker of the recipe: encrypted, and by password or by certificate."""

from dataclasses import replace

import pytest

from deploy.mosquitto.credentials import create_credentials
from edge.broker import try_broker
from edge.config import MqttSettings
from edge.errors import BrokerError, ConfigurationError
from shared.command_line import PASSWORD_VARIABLE
from shared.topics import Topics
from tests.conftest import wait_until
from tests.deploy.recipe import MISSING, Recipe
from tests.device import Device

DESK = Topics("desk")

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    # When TLS fails, paho leaves it to the garbage collector to close the connection.
    pytest.mark.filterwarnings(
        r"ignore:Exception ignored in. <ssl\.SSLSocket:pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("credentials") / "ours"
    create_credentials(folder, ["localhost"], {"desk": "device", "laptop": "laptop"})
    recipe = Recipe(tmp_path_factory.mktemp("recipe"), folder)
    yield recipe
    recipe.stop()


def by_password(recipe, **more):
    own = recipe.credentials / "desk"
    return MqttSettings(
        **{
            "host": "localhost",
            "port": recipe.password_port,
            "username": "desk",
            "password_file": str(own / "password"),
            "tls": True,
            "ca_file": str(own / "ca.crt"),
            **more,
        }
    )


def by_certificate(recipe, **more):
    own = recipe.credentials / "desk"
    return MqttSettings(
        **{
            "host": "localhost",
            "port": recipe.certificate_port,
            "tls": True,
            "ca_file": str(own / "ca.crt"),
            "certificate_file": str(own / "client.crt"),
            "key_file": str(own / "client.key"),
            **more,
        }
    )


@pytest.mark.parametrize("how", [by_password, by_certificate])
def test_a_device_says_all_that_it_has_to_say(recipe, how):
    laptop = recipe.connect("laptop")
    laptop.subscribe("inkling/desk/#", "homeassistant/#")
    device = Device(how(recipe), "desk")
    wait_until(lambda: {DESK.availability, DESK.discovery} <= {topic for topic, *_ in laptop.heard})
    wait_until(lambda: device.is_online)
    device.output.close()
    laptop.close()


def test_the_password_may_come_from_the_environment(recipe, monkeypatch):
    settings = by_password(recipe, password_file="")
    with pytest.raises(BrokerError, match="refuses us"):
        try_broker(settings, DESK, 5.0)
    monkeypatch.setenv(PASSWORD_VARIABLE, (recipe.credentials / "desk" / "password").read_text().strip())
    try_broker(settings, DESK, 5.0)


def test_a_broker_that_is_not_to_be_trusted_is_told_from_one_that_is_not_there(recipe):
    for settings in (by_password(recipe, ca_file=""), by_password(recipe, host="127.0.0.1")):
        with pytest.raises(BrokerError, match=r"is not to be trusted .*: check mqtt\.ca_file"):
            try_broker(settings, DESK, 5.0)


def test_a_certificate_that_is_missing_is_said(recipe):
    with pytest.raises(BrokerError, match=r"mqtt\.certificate_file"):
        try_broker(by_certificate(recipe, certificate_file="", key_file=""), DESK, 2.0)


def test_a_connection_that_should_be_encrypted_and_is_not_is_said(recipe, broker):
    with pytest.raises(BrokerError, match=r"mqtt\.tls"):
        try_broker(replace(by_password(recipe), tls=False, ca_file=""), DESK, 2.0)
    with pytest.raises(BrokerError, match=r"mqtt\.tls|no broker"):
        try_broker(by_password(recipe, port=broker.port), DESK, 2.0)


@pytest.mark.parametrize("key", ["ca_file", "certificate_file", "key_file"])
def test_a_file_that_is_no_certificate_is_said(recipe, tmp_path, key):
    (tmp_path / "junk").write_text("junk")
    for path in (tmp_path / "junk", tmp_path / "missing"):
        with pytest.raises(ConfigurationError, match=rf"mqtt\.{key} {path}"):
            try_broker(by_certificate(recipe, **{key: str(path)}), DESK, 2.0)
