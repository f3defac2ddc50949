import json
from dataclasses import replace

import pytest

from edge.config import Configuration, SettlingSettings
from edge.errors import RefusedRequestError
from edge.live_settings import FILE, LiveSettings
from shared.messages import ConfigureRequest, HealthChange, LedChange, SettlingChange

FROM_FILE = replace(Configuration(), settling=SettlingSettings(hold_s=0.7))


def test_a_change_leaves_the_rest_as_it_is_and_outlives_a_restart(tmp_path):
    live = LiveSettings(FROM_FILE, tmp_path)
    told = live.change(ConfigureRequest(settling=SettlingChange(confidence=0.5)))
    assert told == {
        "settling": {"confidence": 0.5, "hold_s": 0.7, "release_s": 0.6},
        "leds": {"brightness": 1.0},
        "health": {"interval_s": 60.0},
        "kept": True,
    }
    live.change(ConfigureRequest(leds=LedChange(0.2)))
    again = LiveSettings(FROM_FILE, tmp_path)
    assert again.problem is None
    assert again.configuration == live.configuration
    assert again.configuration.settling == SettlingSettings(0.5, 0.7, 0.6)
    assert again.configuration.leds.brightness == 0.2


def test_a_setting_that_was_not_changed_follows_the_configuration_file(tmp_path):
    LiveSettings(FROM_FILE, tmp_path).change(ConfigureRequest(health=HealthChange(5.0)))
    edited = replace(FROM_FILE, settling=SettlingSettings(hold_s=0.9))
    live = LiveSettings(edited, tmp_path).configuration
    assert (live.settling.hold_s, live.health.interval_s) == (0.9, 5.0)


def test_reset_goes_back_to_the_configuration_file_before_anything_else_is_changed(tmp_path):
    live = LiveSettings(FROM_FILE, tmp_path)
    live.change(ConfigureRequest(settling=SettlingChange(confidence=0.5), leds=LedChange(0.5)))
    live.change(ConfigureRequest(leds=LedChange(0.3), reset=True))
    assert live.configuration.settling == FROM_FILE.settling
    assert LiveSettings(FROM_FILE, tmp_path).configuration.leds.brightness == 0.3


def test_nothing_to_change_is_said(tmp_path):
    with pytest.raises(RefusedRequestError, match="nothing to change: give settling, leds or health"):
        LiveSettings(FROM_FILE, tmp_path).change(ConfigureRequest(transaction=3))
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"settling": {"confidence": 7}}', b"[]"])
def test_kept_settings_that_are_broken_are_a_problem_and_no_more(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    live = LiveSettings(FROM_FILE, tmp_path)
    assert "configure the device again" in str(live.problem)
    assert live.configuration == FROM_FILE
    live.change(ConfigureRequest(leds=LedChange(0.5)))
    assert live.problem is None
    assert json.loads((tmp_path / FILE).read_bytes())["leds"] == {"brightness": 0.5}


def test_settings_that_a_later_version_kept_are_kept_where_they_are_known(tmp_path):
    (tmp_path / FILE).write_bytes(b'{"settling": {"confidence": 0.5, "patience": 3}, "camera": {"gain": 2}}')
    live = LiveSettings(FROM_FILE, tmp_path)
    assert live.problem is None
    assert live.configuration.settling == SettlingSettings(0.5, 0.7, 0.6)


def test_where_nothing_can_be_kept_the_change_holds_until_the_end(tmp_path):
    for folder in (None, tmp_path / "missing"):
        live = LiveSettings(FROM_FILE, folder)
        assert live.change(ConfigureRequest(leds=LedChange(0.5)))["kept"] is False
        assert live.configuration.leds.brightness == 0.5
