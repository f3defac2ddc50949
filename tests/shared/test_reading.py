from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from shared.digit_finder import (
    COMPANY,
    UNREAD_COMPANY,
    NoDigit,
    cut_out_companion,
    find_digit,
    search_frame,
)
from shared.errors import BadFrameError
from shared.feedforward import FeedForward
from shared.reading import (
    HOPELESS,
    LIKELY,
    NEEDED_CONFIDENCE,
    WITNESSES,
    DigitReader,
    Reading,
    read_digit,
    read_found,
    search_and_read,
    show_confidence,
    tell_confidence,
    tell_confidences,
    weigh,
)
from shared.surroundings import Surroundings
from shared.weights import load_weights
from tests.shared.drawing import SEVEN, TWO, ZERO, draw, photograph


@pytest.fixture
def simple():
    """A network to which everything is a 1: what is said is up to the finder."""
    biases = np.full(10, -6, np.float32)
    biases[1] = 6
    return FeedForward([np.zeros((10, 784), np.float32)], [biases])


@pytest.fixture(scope="module")
def shipped():
    return load_weights().network


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
    np.testing.assert_allclose(
        tell_confidences(outputs), [tell_confidence(one) for one in outputs], atol=1e-12
    )


@given(outputs=st.lists(st.floats(0, 1), min_size=10, max_size=10))
def test_confidence_is_a_chance(outputs):
    assert 0.0 <= tell_confidence(outputs) <= 1.0


@given(confidence=st.floats(0, 1), needed=st.integers(0, 100).map(lambda hundredths: hundredths / 100))
def test_what_falls_short_of_what_is_needed_is_shown_to(confidence, needed):
    assert (float(show_confidence(confidence)) >= needed) == (confidence >= needed)


@pytest.mark.parametrize(
    ("confidence", "shown"),
    [(0.0, "0.00"), (0.29, "0.29"), (0.8999999, "0.89"), (0.9, "0.90"), (0.999, "0.99"), (1.0, "1.00")],
)
def test_a_confidence_is_rounded_down(confidence, shown):
    assert show_confidence(confidence) == shown


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
    assert reading.confidence < weigh(tell_confidence(reading.outputs), 1.0)
    assert abs(reading.box.x - 155) <= 4
    assert abs(reading.box.height - 120) <= 8


@given(confidence=st.floats(0, 1), likelihood=st.floats(0, 1))
def test_a_reading_is_as_sure_as_network_and_finder_are(confidence, likelihood):
    chance = weigh(confidence, likelihood)
    assert 0 < chance < 1
    assert chance <= weigh(min(1.0, confidence + 0.1), likelihood)
    assert chance <= weigh(confidence, min(1.0, likelihood + 0.1))


@given(likelihood=st.floats(0, HOPELESS))
def test_what_the_network_is_not_asked_about_would_not_be_likely_anyway(likelihood):
    assert weigh(1.0, likelihood) < LIKELY


@pytest.mark.parametrize("second_look", [True, False, None])
@pytest.mark.parametrize("likelihood", [0.5, 2.0])
def test_one_look_does_not_read_what_is_hopeless(second_look, likelihood, simple, monkeypatch):
    monkeypatch.setattr(Surroundings, "likelihood", likelihood * HOPELESS)
    answer = read_digit(photograph(draw(TWO)), simple, second_look=second_look)
    if likelihood < 1 and second_look is not None:
        assert answer is NoDigit.NOTHING
    else:
        assert isinstance(answer, Reading)


def look(random, ink=None, paper=200.0):
    frame = np.full((240, 320), paper) + random.normal(0, 2.5, (240, 320))
    if ink is not None:
        frame[60:180, 155:165] -= ink
    return np.clip(frame, 0, 255).astype(np.uint8)


def look_at_faint_two(random, ink):
    return look(random, paper=200.0 - ink * draw(TWO, size=110, pen=10))


def test_a_frame_in_which_nothing_changed_is_not_read_again(network):
    random = np.random.default_rng(0)
    reader = DigitReader(network)
    readings = [reader.read(look(random, 150)) for _ in range(20)]
    assert all(isinstance(reading, Reading) for reading in readings)
    assert len({id(reading) for reading in readings}) == WITNESSES
    assert all(reading is readings[-1] for reading in readings[WITNESSES:])


def test_frames_are_read_on_while_their_answers_differ(simple):
    random = np.random.default_rng(1)
    reader = DigitReader(simple)
    # So faint that the noise decides whether it is likely.
    answers = [reader.read(look_at_faint_two(random, 13)) for _ in range(60)]
    likely = [isinstance(answer, Reading) and answer.confidence >= LIKELY for answer in answers]
    repeated = next(n for n in range(1, 60) if likely[n] and answers[n] is answers[n - 1])
    assert not all(likely[:WITNESSES])
    assert all(likely[repeated - WITNESSES :])
    assert all(answer is answers[repeated] for answer in answers[repeated:])


def test_what_is_repeated_is_the_least_sure_of_the_witnesses(simple):
    random = np.random.default_rng(0)
    reader = DigitReader(simple)
    readings = [reader.read(look_at_faint_two(random, 18)) for _ in range(WITNESSES + 3)]
    confidences = [reading.confidence for reading in readings]
    assert len(set(confidences[:WITNESSES])) > 1
    assert set(confidences[WITNESSES:]) == {min(confidences[:WITNESSES])}


def test_a_pencils_line_is_a_change(network):
    random = np.random.default_rng(0)
    reader = DigitReader(network)
    assert reader.read(look(random)) is NoDigit.NOTHING
    assert isinstance(reader.read(look(random, 40)), Reading)
    assert reader.read(look(random)) is NoDigit.NOTHING


def test_slow_changes_add_up(network):
    random = np.random.default_rng(0)
    reader = DigitReader(network)
    for ink in range(60):
        answer = reader.read(look(random, ink))
    assert isinstance(answer, Reading)


def test_frames_may_change_their_size(network):
    reader = DigitReader(network)
    for shape in ((240, 320), (120, 160), (241, 323)):
        assert reader.read(np.full(shape, 200, np.uint8)) is NoDigit.NOTHING


def hold_a_dark_card(random):
    """A card before a desk, on it a 2 in chalk: the card itself is the likeliest digit to the finder."""
    frame = np.full((240, 320), 120.0)
    frame[45:175, 110:210] = 30
    frame += 170 * draw(TWO, pen=10) + random.normal(0, 2, frame.shape)
    return np.clip(frame, 0, 255).astype(np.uint8)


def test_what_the_network_takes_for_no_digit_does_not_hide_one(shipped):
    frame = hold_a_dark_card(np.random.default_rng(0))
    assert read_found(find_digit(frame), shipped).confidence < NEEDED_CONFIDENCE
    search, reading = search_and_read(frame, shipped)
    assert (reading.digit, search.chalk) == (2, True)
    assert reading.confidence >= NEEDED_CONFIDENCE


# A fingertip's outline, as it shows beside a card.
FINGERTIP = [[(0.0, 1.0), (0.0, 0.3), (0.15, 0.05), (0.35, 0.05), (0.5, 0.3), (0.5, 0.6)]]
LEFT, RIGHT = (60, 60), (210, 70)


def hold_pair(left, right, sizes=(110, 75)):
    """Two things on one sheet, of which the larger one has the likelier shape of a digit."""
    pairs = zip((left, right), sizes, (LEFT, RIGHT), strict=True)
    return photograph(sum(draw(strokes, size=size, at=at) for strokes, size, at in pairs))


def likely(left, right):
    """The finder's own network, which finds a digit so likely on the left, and so on the right."""
    return property(lambda own: left if own.box[1].start < RIGHT[0] // 2 - 10 else right)


@pytest.mark.parametrize(("beside", "expected"), [(SEVEN, NoDigit.NOT_ONE), (FINGERTIP, 2)])
def test_what_the_finder_doubts_beside_a_digit_is_another_one_if_it_is_read(
    shipped, monkeypatch, beside, expected
):
    frame = hold_pair(TWO, beside)
    monkeypatch.setattr(Surroundings, "likelihood", likely(1.0, 0.4))
    found = search_frame(frame).found
    assert found.box.x < 100
    assert cut_out_companion(search_frame(frame), frame.shape).box.x > 190
    search, answer = search_and_read(frame, shipped)
    if expected is NoDigit.NOT_ONE:
        assert answer is search.found is expected
    else:
        assert (answer.digit, search.found.box) == (expected, found.box)


@pytest.mark.parametrize(
    ("digit", "beside", "alone"),
    [(LIKELY, LIKELY, False), (LIKELY - 0.01, 1.0, True), (1.0, LIKELY - 0.01, True)],
)
def test_two_are_two_digits_where_both_are_likely_read(network, monkeypatch, digit, beside, alone):
    monkeypatch.setattr(Surroundings, "likelihood", likely(0.7, 0.45))
    reading = read_found(search_frame(hold_pair(TWO, SEVEN)).found, network)
    monkeypatch.setattr(
        "shared.reading.read_found",
        lambda found, _: replace(reading, confidence=digit if found.box.x < 100 else beside),
    )
    answer = read_digit(hold_pair(TWO, SEVEN), network, second_look=False)
    assert (answer is not NoDigit.NOT_ONE) == alone


@pytest.mark.parametrize("needed", [COMPANY, UNREAD_COMPANY])
@pytest.mark.parametrize(("less", "alone"), [(0, False), (0.01, True)])
@pytest.mark.parametrize("is_left", [True, False])
def test_two_are_two_digits_where_both_are_likely_by_what_is_around_them(
    network, monkeypatch, needed, less, alone, is_left
):
    frame = hold_pair(TWO, SEVEN)
    doubted = needed - less
    monkeypatch.setattr(Surroundings, "likelihood", likely(doubted, 1.0) if is_left else likely(1.0, doubted))
    if needed == UNREAD_COMPANY:
        answer = find_digit(frame)
    else:
        reading = replace(read_found(search_frame(frame).found, network), confidence=0.0)
        monkeypatch.setattr("shared.reading.read_found", lambda *_: reading)
        answer = read_digit(frame, network, second_look=False)
    assert (answer is not NoDigit.NOT_ONE) == alone


def test_two_beside_what_is_no_digit_are_not_one_either(network, monkeypatch):
    searches = [search_frame(hold_pair(*pair)) for pair in ((TWO, FINGERTIP), (TWO, SEVEN))]
    readings = iter((0.4, 0.9, 0.9))
    reading = read_found(searches[0].found, network)
    monkeypatch.setattr(Surroundings, "likelihood", 0.45)
    monkeypatch.setattr("shared.reading.search_in_turn", lambda *_, **__: iter(searches))
    monkeypatch.setattr("shared.reading.read_found", lambda *_: replace(reading, confidence=next(readings)))
    assert read_digit(hold_pair(TWO, SEVEN), network) is NoDigit.NOT_ONE


def test_what_is_unlikely_beside_a_digit_is_not_read(shipped, monkeypatch):
    readings = []
    monkeypatch.setattr(Surroundings, "likelihood", likely(1.0, HOPELESS - 0.01))
    monkeypatch.setattr("shared.reading.read_found", lambda *it: readings.append(it) or read_found(*it))
    assert read_digit(hold_pair(TWO, SEVEN), shipped).digit == 2
    assert len(readings) == 1


def test_a_digit_is_read_though_what_has_a_likelier_shape_is_beside_it(shipped, monkeypatch):
    frame = hold_pair(FINGERTIP, TWO)
    monkeypatch.setattr(Surroundings, "likelihood", likely(0.4, 1.0))
    assert search_frame(frame).found.box.x < 100
    assert read_digit(frame, shipped).digit == 2


def test_the_surer_of_two_readings_is_the_answer(network, monkeypatch):
    frame = hold_a_dark_card(np.random.default_rng(0))
    sure = iter((0.6, 0.3, 0.3, 0.6))
    reading = read_digit(look(np.random.default_rng(0), 150), network)
    monkeypatch.setattr("shared.reading.read_found", lambda *_: replace(reading, confidence=next(sure)))
    assert [read_digit(frame, network).confidence for _ in range(2)] == [0.6, 0.6]


@pytest.mark.parametrize(("second_look", "readings"), [(None, 2), (False, 1), (True, 1)])
def test_a_single_look_has_time_for_one_reading(network, monkeypatch, second_look, readings):
    frame = hold_a_dark_card(np.random.default_rng(0))
    reading = read_digit(look(np.random.default_rng(0), 150), network)
    done = []

    def read(*_):
        done.append(True)
        return replace(reading, confidence=0.5)

    monkeypatch.setattr(Surroundings, "likelihood", 0.5)
    monkeypatch.setattr("shared.reading.read_found", read)
    read_digit(frame, network, second_look=second_look)
    assert len(done) == readings


def test_a_reader_finds_it_in_one_of_two_frames_and_stays_with_it(shipped):
    random = np.random.default_rng(0)
    reader = DigitReader(shipped)
    answers = [reader.read(hold_a_dark_card(random)) for _ in range(6)]
    said = [
        isinstance(one, Reading) and one.digit == 2 and one.confidence >= NEEDED_CONFIDENCE for one in answers
    ]
    assert said[:2] == [False, True]
    assert all(said[2:])


@pytest.mark.parametrize(
    ("first", "second", "otherwise", "expected"),
    [
        (
            0.3,
            0.8,
            True,
            [False, True, False, True, False],
        ),  # perhaps a part of what a first look finds whole
        (0.3, 0.95, True, [False, True, True, True, True]),
        (0.3, 0.95, False, [False, True, False, True, False]),  # a first look would have done as well
        (0.8, 0.3, True, [False, False, False, False, False]),
        (0.3, 0.3, True, [False, True, False, True, False]),
    ],
)
def test_a_look_is_stayed_with_where_it_alone_reads_a_digit(
    network, monkeypatch, first, second, otherwise, expected
):
    random = np.random.default_rng(0)
    looks = []
    reading = read_digit(look(random, 150), network)

    def read(frame, network, *, second_look):
        looks.append(second_look)
        search = replace(search_frame(frame), otherwise=second_look and otherwise)
        return search, replace(reading, confidence=second if second_look else first)

    monkeypatch.setattr("shared.reading.search_and_read", read)
    reader = DigitReader(network)
    for paper in (100, 125, 150, 175, 200):
        reader.read(look(random, 150, paper))
    assert looks == expected


def test_a_frame_that_only_a_second_look_is_unsure_of_is_not_read_for_ever(network, monkeypatch):
    random = np.random.default_rng(0)
    looks = []
    reading = read_digit(look(random, 150), network)

    def read(frame, network, *, second_look):
        looks.append(second_look)
        return search_frame(frame), replace(reading, confidence=0.7) if second_look else NoDigit.NOTHING

    monkeypatch.setattr("shared.reading.search_and_read", read)
    reader = DigitReader(network)
    for _ in range(20):
        reader.read(look(random, 150))
    assert len(looks) == WITNESSES


def test_a_reason_that_every_other_look_gives_is_said_of_all_frames(network, monkeypatch):
    random = np.random.default_rng(0)
    looks = iter([NoDigit.NOTHING, NoDigit.BLURRED] * 3 + [NoDigit.NOTHING] * 3)
    monkeypatch.setattr(
        "shared.reading.search_and_read",
        lambda frame, network, *, second_look: (search_frame(frame), next(looks)),
    )
    reader = DigitReader(network)
    answers = [reader.read(look(random, 150, paper)) for paper in (100, 120, 140) * 3]
    assert answers == [NoDigit.NOTHING] + [NoDigit.BLURRED] * 6 + [NoDigit.NOTHING] * 2


@pytest.mark.parametrize("blur", [0, 14])
def test_chalk_is_read_while_it_is_there(simple, blur):
    """It is looked for in every other frame until there is something, and then in all."""
    random = np.random.default_rng(0)
    ink = 110 * ndimage.gaussian_filter(draw(ZERO, size=90, pen=14), blur)
    reader = DigitReader(simple)
    scenes = [0 * ink + 20] * 3 + [ink + 20] * 12
    frames = [np.clip(one + random.normal(0, 1, ink.shape), 0, 255).astype(np.uint8) for one in scenes]
    answers = [reader.read(frame) for frame in frames][5:]
    assert len({str(answer) if isinstance(answer, NoDigit) else answer.digit for answer in answers}) == 1
    assert answers[0] is NoDigit.BLURRED if blur else isinstance(answers[0], Reading)


def test_what_is_no_frame_is_refused_by_name(network):
    with pytest.raises(BadFrameError, match="convert a colour picture to grey"):
        DigitReader(network).read(np.zeros((240, 320, 3), np.uint8))
