import socket
import threading

import pytest

from edge.config import MqttSettings
from edge.link import LONGEST_WAIT_S, draw_wait_s
from tests.conftest import wait_until
from tests.device import Device

CONNACK = b"\x20\x03\x00\x00\x00"
WITH_WILL = b"\xe0\x01\x04"


def test_waits_grow_at_first_and_are_drawn_at_random():
    firsts = [draw_wait_s(0) for _ in range(100)]
    assert 0.1 < min(firsts) < max(firsts) <= 0.25
    assert len(set(firsts)) > 50
    assert min(draw_wait_s(3) for _ in range(100)) > max(firsts)


@pytest.mark.parametrize("attempt", [10, 2000, 10**6])
def test_after_an_outage_of_any_length_the_wait_is_bounded(attempt):
    assert LONGEST_WAIT_S / 2 <= draw_wait_s(attempt) <= LONGEST_WAIT_S


def test_of_two_devices_that_share_a_name_one_is_told_to_take_another(broker):
    settings = MqttSettings(port=broker.port)
    first = Device(settings)
    wait_until(lambda: first.is_online)
    second = Device(settings)
    try:
        wait_until(lambda: "Give one of them another device.name" in first.health.state_of("broker"))
    finally:
        for device in (first, second):
            device.output.close()


def test_who_leaves_a_broker_that_confirms_nothing_has_it_say_the_will():
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.sendall(CONNACK)
                while chunk := connection.recv(65536):
                    heard.extend(chunk)

        broker = threading.Thread(target=serve)
        broker.start()
        bench = Device(MqttSettings(host="127.0.0.1", port=server.getsockname()[1]))
        wait_until(lambda: b"online" in heard)
        bench.output.close()
        broker.join(10)
    assert heard.endswith(b'"offline"}' + WITH_WILL), "health, which was due meanwhile, comes no more"
