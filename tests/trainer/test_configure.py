import pytest

from shared.messages import ConfigureRequest, HealthChange, LedChange, SettlingChange
from trainer.commands.configure import SETTINGS, read_settings
from trainer.errors import BadSettingError


def test_settings_find_their_tables():
    assert read_settings(
        ["confidence=0.8", "settling.hold_s=0.5", "brightness=.3", "interval_s=30"], reset=False
    ) == ConfigureRequest(
        SettlingChange(confidence=0.8, hold_s=0.5), LedChange(brightness=0.3), HealthChange(interval_s=30.0)
    )
    assert read_settings([], reset=True) == ConfigureRequest(reset=True)


def test_no_two_tables_have_a_setting_of_one_name():
    assert list(SETTINGS) == ["confidence", "hold_s", "release_s", "brightness", "interval_s"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("confidence", "use confidence=..."),
        ("confidense=0.8", "is no setting"),
        ("leds.confidence=0.8", "is in settling"),
        ("confidence=high", "no number"),
        ("confidence=1.5", "between 0 and 1"),
        ("confidence=nan", "between 0 and 1"),
        ("interval_s=1e999", "between 1 and 86400"),
    ],
)
def test_what_cannot_be_set_is_refused_before_the_device_is_asked(text, message):
    with pytest.raises(BadSettingError, match=message):
        read_settings([text], reset=False)


def test_nothing_to_change_is_refused():
    with pytest.raises(BadSettingError, match="nothing to change"):
        read_settings([], reset=False)
