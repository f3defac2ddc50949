import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from edge.config import CameraSettings, Configuration, load_configuration
from edge.errors import ConfigurationError
from tests.conftest import ROOT

SHIPPED = ROOT / "deploy" / "edge.toml"


def write(tmp_path, text):
    path = tmp_path / "edge.toml"
    path.write_text(text)
    return path


def test_an_empty_file_gives_the_defaults(tmp_path):
    assert load_configuration(write(tmp_path, "")) == Configuration()


def test_the_shipped_file_holds_the_defaults_but_for_the_leds():
    assert load_configuration(SHIPPED) == Configuration()


def test_the_shipped_file_documents_every_key():
    text = SHIPPED.read_text()

    def check(kind, content, path):
        for item in fields(kind):
            value = item.default_factory() if callable(item.default_factory) else item.default
            if is_dataclass(value):
                assert f"[{path}{item.name}]" in text
                check(type(value), content.get(item.name, {}), f"{path}{item.name}.")
            else:
                # Keys whose default is that there is none, or the host's name, are shown commented out.
                assert item.name in content or f"# {item.name} = " in text, f"{path}{item.name}"

    check(Configuration, tomllib.loads(text), "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[camera]\nknid = 'folder'", "camera.knid is not a known key: did you mean kind?"),
        ("[camara]", "camara is not a known key: did you mean camera?"),
        ("[camera]\nwidth = '320'", "camera.width must be a whole number between 64 and 1920, not '320'"),
        (
            "[camera]\nkind = 'webcam'",
            "camera.kind must be one of 'picamera2', 'folder', 'simulated', not 'webcam'",
        ),
        ("[camera]\nkind = 'folder'", "camera.folder.path is missing"),
        (
            "[camera.simulated]\ndigits = [3, 10]",
            r"camera.simulated.digits\[1\] must be .* between 0 and 9, not 10",
        ),
        ("[settling]\nconfidence = 60", "settling.confidence must be a number between 0 and 1, not 60"),
        ("[mqtt]\nport = 0", "mqtt.port must be a whole number between 1 and 65535, not 0"),
        ("[mqtt]\nhost = ''", "mqtt.host is empty"),
        ("[mqtt]\npassword_file = 'secret'", "mqtt.username is missing"),
        ("[device]\nname = 'My Pi'", "device.name must be 1 to 32 of a-z"),
        ("[leds]\nkind = 'ten'\npins = [2, 3]", "leds.pins must list 10 pins for 'ten', not 2"),
        (
            "[leds]\nkind = 'binary'\npins = [2, 3, 4, 40]",
            r"leds.pins\[3\] must be .* between 2 and 27, not 40",
        ),
        ("[leds]\nkind = 'binary'\npins = [2, 3, 4, 4]", "use pin 4 twice"),
        ("[leds]\nkind = 'binary'\npins = [2, 3, 4, 5]\nstatus_pin = 5", "use pin 5 twice"),
        ("[leds]\nstatus_pin = true", "leds.status_pin must be .*, not True"),
        ("camera = 3", "camera must be a table of keys, not 3"),
        ("[network]\nweights = '~nosuchuser/x'", "home directory"),
        ('[network]\nweights = "a\\u0000b"', "weights holds a NUL"),
        (
            "[network]\nkeys = ['AAAA']",
            "'AAAA' is no Ed25519 public key: put there what 'inkling-trainer keygen",
        ),
        ("[camera]\nframes_per_second = 1" + "0" * 400, "frames_per_second must be a number between"),
        ("[camera]\nwidth = 0x" + "f" * 5000, "width must be a whole number between"),
        ("[mqtt]\nhost = 'pi..local'", "is no host name"),
        ("a = " + "[" * 3000, "not TOML"),
        ("[camera\n", "not TOML"),
        ("a = \x01", "not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(tmp_path, text, said):
    with pytest.raises(ConfigurationError, match=rf"edge\.toml: .*{said}"):
        load_configuration(write(tmp_path, text))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "edge.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="not TOML"):
        load_configuration(tmp_path / "edge.toml")


def test_a_folder_is_told_from_a_file(tmp_path):
    with pytest.raises(ConfigurationError, match="is a folder: name the configuration in it"):
        load_configuration(tmp_path)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"no configuration at .*edge\.toml: name yours with --config"
    ):
        load_configuration(tmp_path / "edge.toml")


def test_paths_start_from_the_files_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    configuration = load_configuration(
        write(tmp_path, "[network]\nweights = 'mine.npz'\n[camera]\nkind = 'folder'\nfolder.path = '/abs'")
    )
    assert Path(configuration.network.weights) == tmp_path / "mine.npz"
    assert configuration.camera.folder.path == "/abs"


def test_the_device_is_called_after_its_host():
    assert Configuration().device.name
    assert CameraSettings().kind == "picamera2"
