import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.mosquitto.credentials import NAME, PROGRAMS, create_credentials, main
from shared.command_line import run_command
from tests.deploy.recipe import MISSING

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def make(capsys, monkeypatch):
    """Run the command, as from a shell with this PATH."""

    def make(*arguments, path=os.environ["PATH"]):
        monkeypatch.setenv("PATH", path)
        status = run_command(NAME, lambda: main([str(each) for each in arguments]))
        return Done(status, *capsys.readouterr())

    return make


def read(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first") / "ours"
    create_credentials(folder, ["broker.lan", "192.0.2.7"], {"desk": "device"})
    return folder


@pytest.fixture
def made(tmp_path, first):
    return shutil.copytree(first, tmp_path / "ours")


def test_it_says_what_to_copy_where(tmp_path, make):
    done = make(tmp_path, "--broker", "192.0.2.7", "--broker", "b", "--device", "desk", "--laptop", "laptop")
    assert done.returncode == 0
    assert "acl passwords ca.crt broker.crt broker.key /etc/mosquitto/inkling/" in done.stdout
    assert 'host = "192.0.2.7"\n    port = 8883\n' in done.stdout
    assert "mosquitto_sub -h 192.0.2.7 -p 8883" in done.stdout
    for name in ("desk", "laptop"):
        assert (tmp_path / name / "password").read_text() not in done.stdout
    later = make(tmp_path, "--device", "kitchen").stdout
    assert 'name = "kitchen"' in later
    assert 'host = "192.0.2.7"' in later
    assert "broker.key" not in later


def test_nobody_else_can_read_what_was_made(made):
    paths = [made, *made.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {path.name for path in made.iterdir()} == {"ca", "broker", "desk"}


def test_a_device_more_leaves_the_others_and_rules_made_by_hand_as_they_are(made, make):
    with (made / "broker" / "acl").open("a") as rules:
        rules.write("\nuser zigbee2mqtt\ntopic readwrite zigbee2mqtt/#\n")
    before = read(made)
    assert make(made, "--device", "kitchen", "--laptop", "laptop").returncode == 0
    after = read(made)
    broker = {Path("broker/acl"), Path("broker/passwords")}
    assert {path for path in before if after[path] != before[path]} == broker
    assert all(after[path].startswith(before[path]) for path in broker)
    names = [line.partition(b":")[0] for line in after[Path("broker/passwords")].splitlines()]
    assert names == [b"desk", b"kitchen", b"laptop"]


def test_a_name_whose_folder_was_deleted_gets_new_credentials_and_no_old_rights(made, make):
    assert make(made, "--laptop", "hall").returncode == 0
    old = read(made)
    shutil.rmtree(made / "hall")
    assert make(made, "--device", "hall").returncode == 0
    new = read(made)
    assert b"user hall" in old[Path("broker/acl")]
    assert b"user hall" not in new[Path("broker/acl")]
    assert [line for line in new[Path("broker/passwords")].splitlines() if line.startswith(b"hall:")] != [
        line for line in old[Path("broker/passwords")].splitlines() if line.startswith(b"hall:")
    ]
    assert new[Path("broker/passwords")].count(b"hall:") == 1


def test_a_broker_that_moves_gets_another_certificate_from_the_same_authority(made, make):
    before = read(made)
    (made / "broker" / "broker.crt").unlink()
    assert make(made, "--broker", "elsewhere.lan").returncode == 0
    after = read(made)
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {Path("broker/broker.crt"), Path("broker/broker.key")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "desk"], "desk has credentials already: to make new ones, delete"),
        (["--device", "Desk"], "'Desk' is no name for a user: use 1 to 32 of a-z, 0-9, _ and -"),
        (["--device", "desk\n"], "is no name for a user"),
        (["--device", "+"], "is no name for a user"),
        (["--laptop", "../x"], "is no name for a user"),
        (["--device", "ca"], "'ca' is what one of our own folders is called: use another name"),
        (["--device", "a", "--laptop", "a"], "a name is given twice"),
        (["--device", "b", "--broker", "c"], "the broker has a certificate already: leave --broker out"),
        (["--lock-out", "nobody"], "nobody in"),
        (["--lock-out", "broker"], "nobody in"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(made, arguments, message, make):
    before = read(made)
    done = make(made, *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"credentials: {message}") or message in done.stderr
    assert done.stderr.count("\n") == 1 or "\\n" in done.stderr
    assert read(made) == before


@pytest.mark.parametrize("host", ["a b", "x,DNS:evil", "", "-x", "fe80::1%eth0", "300.1.2.3/8", "a\n"])
def test_what_is_no_host_is_said(tmp_path, host, make):
    done = make(tmp_path / "new", f"--broker={host}", "--device", "desk")
    assert done.returncode == 1
    assert "is no host name and no IP address" in done.stderr
    assert not (tmp_path / "new").exists()


def test_what_is_missing_is_said(tmp_path, made, make):
    new = tmp_path / "new"
    done = make(new, "--device", "desk")
    assert (
        done.stderr
        == "credentials: the broker needs a certificate: say --broker with its host name or address\n"
    )
    found = {program: shutil.which(program) for program in PROGRAMS}
    for program in PROGRAMS:
        programs = tmp_path / f"without-{program}"
        programs.mkdir()
        for other in PROGRAMS.keys() - {program}:
            (programs / other).symlink_to(found[other])
        done = make(new, "--broker", "b", "--device", "desk", path=str(programs))
        assert done.stderr.startswith(f"credentials: {program} is not installed: sudo apt install ")
        assert done.returncode == 1
    assert not new.exists()
    shutil.rmtree(made / "ca")
    assert f"{made / 'ca'} is gone: put it back" in make(made, "--device", "kitchen").stderr


def test_a_program_that_fails_half_way_leaves_nothing_half_made(tmp_path, made, make):
    before = read(made)
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "mosquitto_passwd").write_text("#!/bin/sh\necho no room left >&2\nexit 1\n")
    (programs / "mosquitto_passwd").chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    done = make(made, "--device", "kitchen", path=path)
    assert done.stderr == "credentials: mosquitto_passwd -U failed: no room left\n"
    assert read(made) == before
    # What has been finished is used when it is tried again.
    new = tmp_path / "new"
    assert make(new, "--broker", "b", "--device", "desk", path=path).returncode == 1
    authority = read(new / "ca")
    assert make(new, "--broker", "b", "--device", "desk").returncode == 0
    assert read(new / "ca") == authority
    assert {path.name for path in new.iterdir()} == {"ca", "broker", "desk"}
