import argparse

import pytest

from trainer.broker_settings import BrokerSettings
from trainer.commands.broker_options import add_broker, read_broker
from trainer.errors import BadSettingError


def read(*arguments):
    parser = argparse.ArgumentParser()
    add_broker(parser)
    return read_broker(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("broker", "host", "port"),
    [
        ("broker.lan", "broker.lan", 1883),
        ("broker.lan:1884", "broker.lan", 1884),
        ("[::1]:1884", "::1", 1884),
        ("[::1]", "::1", 1883),
        ("fe80::1", "fe80::1", 1883),
    ],
)
def test_a_brokers_address(broker, host, port):
    settings = read("--broker", broker)
    assert (settings.host, settings.port) == (host, port)


@pytest.mark.parametrize(
    "broker",
    ["", ":1883", "host:", "host:x", "host:0", "host:65536", "mqtt://host", "[::1", "[::1]x", "a..b"],
)
def test_what_is_no_address_is_refused(broker):
    with pytest.raises(BadSettingError, match="HOST:PORT"):
        read("--broker", broker)


def test_without_options_it_is_this_machine():
    assert read() == BrokerSettings("localhost", 1883)


@pytest.mark.parametrize("options", [["--tls"], ["--ca", "ca.crt"], ["--certificate", "client.crt"]])
def test_certificates_mean_tls_and_its_usual_port(options):
    settings = read(*options)
    assert settings.tls
    assert settings.port == 8883


@pytest.mark.parametrize("options", [["--key", "k"], ["--password-file", "p"]])
def test_options_that_are_of_no_use_alone_are_refused(options):
    with pytest.raises(BadSettingError, match="of no use without"):
        read(*options)
