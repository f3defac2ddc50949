import socket

import pytest

from edge.broker import prepare_clients, try_broker
from edge.config import MqttSettings
from edge.errors import BrokerError, ConfigurationError
from shared.topics import Topics

TOPICS = Topics("bench")


def test_a_broker_that_wants_a_password_is_satisfied_or_said(tmp_path, password_broker):
    password = tmp_path / "password"
    password.write_text("secret\n")
    good = MqttSettings(
        host="127.0.0.1", port=password_broker.port, username="bench", password_file=str(password)
    )
    try_broker(good, TOPICS, 5.0)
    password.write_text("wrong")
    with pytest.raises(BrokerError, match=r"refuses us \(Not authorized\): check mqtt\.username"):
        try_broker(good, TOPICS, 5.0)
    with pytest.raises(BrokerError, match=r"refuses us \(Not authorized\)"):
        try_broker(MqttSettings(host="127.0.0.1", port=password_broker.port), TOPICS, 5.0)


def test_what_is_no_broker_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = MqttSettings(host="127.0.0.1", port=listener.getsockname()[1])
        with pytest.raises(BrokerError, match="takes the connection but does not answer"):
            try_broker(settings, TOPICS, 0.5)
    with pytest.raises(BrokerError, match=r"no broker at .*Connection refused.*: start one"):
        try_broker(settings, TOPICS, 0.5)


def test_a_password_that_cannot_be_read_is_said(tmp_path):
    settings = MqttSettings(username="bench", password_file=str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="make it readable to the service"):
        prepare_clients(settings)
