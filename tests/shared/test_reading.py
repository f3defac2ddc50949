import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.digit_finder import NoDigit
from shared.reading import Reading, read_digit, tell_confidence, tell_confidences


def test_one_node_alone_is_certain():
    outputs = np.full(10, 0.01)
    outputs[3] = 0.99
    assert tell_confidence(outputs) == pytest.approx(1.0)


def test_silence_is_no_confidence():
    assert tell_confidence(np.full(10, 0.01)) == 0.0


def test_two_loud_nodes_contradict_each_other():
    outputs = np.full(10, 0.01)
    outputs[[3, 5]] = 0.99
    assert tell_confidence(outputs) == pytest.approx(0.0, abs=1e-12)


def test_many_confidences_are_those_of_each_one():
    outputs = np.random.default_rng(0).random((50, 10))
    assert tell_confidences(outputs).tolist() == [tell_confidence(one) for one in outputs]


@given(outputs=st.lists(st.floats(0, 1), min_size=10, max_size=10))
def test_confidence_is_a_chance(outputs):
    assert 0.0 <= tell_confidence(outputs) <= 1.0


def test_blank_paper_gives_no_reading(network):
    assert read_digit(np.full((240, 320), 200, np.uint8), network) is NoDigit.NOTHING


def test_a_reading_tells_what_the_network_saw(network):
    frame = np.full((240, 320), 200, np.uint8)
    frame[60:180, 155:165] = 30
    reading = read_digit(frame, network)
    assert isinstance(reading, Reading)
    np.testing.assert_allclose(
        reading.outputs, network.query(reading.image.reshape(784) * 0.99 + 0.01), rtol=1e-5
    )
    assert reading.digit == int(reading.outputs.argmax())
    assert reading.confidence == tell_confidence(reading.outputs)
    assert abs(reading.box.x - 155) <= 4
    assert abs(reading.box.height - 120) <= 8
