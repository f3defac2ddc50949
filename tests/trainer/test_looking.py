import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge.view import Glimpse, draw_view
from shared.digit_finder import NoDigit
from shared.errors import BadPictureError
from shared.topics import Topics
from trainer.broker import Broker
from trainer.broker_settings import BrokerSettings
from trainer.errors import NoAnswerError
from trainer.view import LARGEST_SIDE, check_view, look

VIEW = draw_view(Glimpse(np.full((240, 320), 128, np.uint8), NoDigit.NOTHING))


def make_picture(size, kind):
    file = io.BytesIO()
    Image.new("L", size).save(file, kind)
    return file.getvalue()


def test_a_devices_view_is_accepted():
    check_view(VIEW)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        VIEW[:-400],
        make_picture((320, 240), "PNG"),
        make_picture((LARGEST_SIDE + 1, 8), "JPEG"),
        make_picture((20_000, 20_000), "JPEG"),
    ],
    ids=["nothing", "cut short", "no JPEG", "too wide", "a bomb"],
)
def test_what_is_no_view_is_refused(content):
    with pytest.raises(BadPictureError, match="not kept"):
        check_view(content)


@given(st.data())
def test_a_damaged_view_is_a_picture_or_refused(data):
    content = bytearray(VIEW)
    for place in data.draw(st.lists(st.integers(0, len(VIEW) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        check_view(bytes(content))
    except BadPictureError:
        return
    Image.open(io.BytesIO(content)).load()


def test_a_camera_that_shows_nothing_is_told(broker, speak, monkeypatch):
    monkeypatch.setattr("trainer.view.PICTURE_TIMEOUT_S", 0.3)
    speak({"status": "ok"})
    with (
        Broker(BrokerSettings("127.0.0.1", broker.port)) as laptop,
        pytest.raises(NoAnswerError, match=r"camera may be stalled; .* watch --device desk"),
    ):
        next(look(laptop, "desk", 0))


def test_pictures_come_one_by_one_until_one_is_none(broker, speak):
    speaker = speak({"status": "ok"})
    with Broker(BrokerSettings("127.0.0.1", broker.port)) as laptop:
        pictures = look(laptop, "desk", 60)
        laptop.subscribe(Topics("desk").view)
        for content in (VIEW, VIEW, b"\xff\xd8\xff"):
            speaker.say(Topics("desk").view, content)
        assert [next(pictures), next(pictures)] == [VIEW, VIEW]
        with pytest.raises(BadPictureError):
            next(pictures)
    assert speaker.asked[0]["seconds"] > 59
