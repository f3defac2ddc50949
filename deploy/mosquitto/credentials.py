"""Make what a broker and its devices need to trust each other: authority, certificates, keys, passwords.

    python -m deploy.mosquitto.credentials FOLDER --broker HOST --device NAME --laptop NAME

It needs OpenSSL and Mosquitto's mosquitto_passwd. Run again it adds to the folder and leaves alone what is
there. Every file is written whole or not at all, and only its owner can read it.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from deploy.mosquitto.authority import Authority, CredentialsError, describe_host, find_host, run_program
from shared.atomic_file import write_atomically
from shared.command_line import run_command
from shared.errors import InklingError
from shared.topics import DEVICE_NAME

NAME = "credentials"

HERE = Path(__file__).parent
CONFIGURATION, ACL = HERE / "inkling.conf", HERE / "acl"
INSTALLED = "/etc/mosquitto/inkling"

PROGRAMS = {"openssl": "openssl", "mosquitto_passwd": "mosquitto"}

# What users may say and hear beside what the access rules grant to every device.
DEVICE, LOCKED_OUT = "device", "locked-out"
EXPLANATIONS = {
    DEVICE: "add a device, by its name in MQTT topics",
    "laptop": "add a user that hears, says and asks everything",
    "home-assistant": "add a user that hears everything, asks devices, and says what Home Assistant does",
    "reader": "add a user that hears everything and says nothing",
}
ROLES: dict[str, tuple[str, ...]] = {
    DEVICE: (),
    "laptop": ("readwrite inkling/#", "readwrite homeassistant/#", "read $SYS/#"),
    "home-assistant": ("read inkling/#", "write inkling/+/request/#", "readwrite homeassistant/#"),
    "reader": ("read inkling/#",),
    LOCKED_OUT: ("deny #",),
}

# The folders that are nobody's.
RESERVED = ("ca", "broker")


FIRST_TIME = """
On the broker's machine, in a copy of {folder}/broker:

    sudo apt install mosquitto
    sudo install -d -o mosquitto -g mosquitto -m 700 {installed}
    sudo install -o mosquitto -g mosquitto -m 600 acl passwords ca.crt broker.crt broker.key {installed}/
    sudo install -m 644 inkling.conf /etc/mosquitto/conf.d/
    sudo systemctl restart mosquitto
"""

LATER = """
On the broker's machine, in a copy of {folder}/broker:

    sudo install -o mosquitto -g mosquitto -m 600 acl passwords {installed}/
    sudo systemctl reload mosquitto
"""

ON_DEVICE = """\
On {name}, in a copy of {folder}/{name}:

    sudo install -o inkling -m 600 ca.crt client.crt client.key password /etc/inkling/

and in /etc/inkling/edge.toml:

    [device]
    name = "{name}"

    [mqtt]
    host = "{host}"
    port = 8883
    tls = true
    ca_file = "/etc/inkling/ca.crt"
    username = "{name}"
    password_file = "/etc/inkling/password"

or, to use the certificate in place of user name and password, port = 8884 and

    certificate_file = "/etc/inkling/client.crt"
    key_file = "/etc/inkling/client.key"
"""

FOR_USER = """\
{name} connects to {host}, port 8883, with its password and the authority's certificate:

    mosquitto_sub -h {host} -p 8883 --cafile {folder}/{name}/ca.crt \\
        -u {name} -P "$(cat {folder}/{name}/password)" -t 'inkling/#' -v
"""


class MissingProgramError(InklingError, FileNotFoundError):
    """A program that makes credentials is not installed."""


def create_credentials(folder: Path, hosts: list[str], names: dict[str, str]) -> None:
    """Make what is missing in a folder: the authority, the broker's part, and a folder for each name.

    Parameters
    ----------
    folder : made if it is not there
    hosts : the broker's host names and addresses; empty if it has its certificate
    names : the role of each name to add, one of `ROLES`

    Raises
    ------
    CredentialsError : if a name or a host is none, or is there already; nothing is made then
    MissingProgramError : if OpenSSL or mosquitto_passwd is not installed; nothing is made then
    """
    _check(folder, hosts, names)
    is_new = not folder.exists()
    mask = os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as scratch:
            _create(folder, Path(scratch), hosts, names)
    except BaseException:
        if is_new:
            with suppress(OSError):  # not empty: what is finished stays
                folder.rmdir()
        raise
    finally:
        os.umask(mask)


def lock_out(folder: Path, name: str) -> None:
    """Take a name's password and rights away; its certificate still connects, but to say and hear nothing.

    Raises
    ------
    CredentialsError : if nobody has that name
    """
    if not (folder / name).is_dir() or name in RESERVED:
        raise CredentialsError(f"nobody in {folder} is called {name!r}")
    mask = os.umask(0o077)
    try:
        _admit(folder / "broker", {name: LOCKED_OUT}, "")
    finally:
        os.umask(mask)


def _check(folder: Path, hosts: list[str], names: dict[str, str]) -> None:
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            raise MissingProgramError(f"{program} is not installed: sudo apt install {package}")
    rules = _read_rules(folder / "broker")
    for name in names:
        if not DEVICE_NAME.fullmatch(name):
            raise CredentialsError(f"{name!r} is no name for a user: use 1 to 32 of a-z, 0-9, _ and -")
        if name in RESERVED:
            raise CredentialsError(f"{name!r} is what one of our own folders is called: use another name")
        if f"\nuser {name}\ntopic {ROLES[LOCKED_OUT][0]}\n" in rules:
            raise CredentialsError(
                f"{name} was locked out, and its certificate is still about: use another name"
            )
        if (folder / name).exists():
            raise CredentialsError(
                f"{name} has credentials already: to make new ones, delete {folder / name}"
            )
    for host in hosts:
        describe_host(host)
    certificate = folder / "broker" / "broker.crt"
    if hosts and certificate.exists():
        raise CredentialsError(
            f"the broker has a certificate already: leave --broker out, or delete {certificate} for a new one"
        )
    if not hosts and not certificate.exists():
        raise CredentialsError("the broker needs a certificate: say --broker with its host name or address")
    if not (folder / "ca").exists() and (folder / "broker").exists():
        raise CredentialsError(
            f"{folder / 'ca'} is gone: put it back, or make everything anew in another folder"
        )


def _create(folder: Path, scratch: Path, hosts: list[str], names: dict[str, str]) -> None:
    authority = Authority(folder / "ca")
    if not (folder / "ca").exists():
        (scratch / "ca").mkdir()
        Authority(scratch / "ca").create()
        os.sync()
        (scratch / "ca").rename(folder / "ca")
    broker = folder / "broker"
    broker.mkdir(exist_ok=True)
    passwords = "".join(f"{name}:{_create_user(authority, scratch / name, name)}\n" for name in names)
    # Names are let in before they are handed out: whatever interrupts this, the same once more mends it.
    _admit(broker, names, _hash_passwords(scratch / "hashed.passwords", passwords))
    os.sync()
    for name in names:
        (scratch / name).rename(folder / name)
    if hosts:
        authority.issue(scratch, "broker", "Inkling's broker", "serverAuth", hosts)
        sources = (CONFIGURATION, authority.certificate, scratch / "broker.key", scratch / "broker.crt")
        for source in sources:  # the certificate last: it says that the rest is there
            write_atomically(broker / source.name, source.read_bytes())
    os.sync()


def _create_user(authority: Authority, folder: Path, name: str) -> str:
    """Make a user's folder; returns the password."""
    print(f"making {name} ...", flush=True)
    folder.mkdir()
    authority.issue(folder, "client", name, "clientAuth")
    (folder / "ca.crt").write_bytes(authority.certificate.read_bytes())
    password = secrets.token_urlsafe(24)
    (folder / "password").write_text(password)  # no line's end, which some programs take for a part of it
    return password


def _hash_passwords(file: Path, passwords: str) -> str:
    if not passwords:  # which mosquitto_passwd takes for a mistake
        return ""
    # By way of a file, because everybody on the machine can see a program's arguments.
    file.write_text(passwords)
    run_program("mosquitto_passwd", "-U", str(file))
    return file.read_text()


def _admit(broker: Path, names: dict[str, str], passwords: str) -> None:
    """Give names these passwords and the rights of their roles, in place of any that they had."""
    listed = broker / "passwords"
    kept = listed.read_text().splitlines(keepends=True) if listed.exists() else []
    kept = [line for line in kept if line.partition(":")[0] not in names]
    write_atomically(listed, ("".join(kept) + passwords).encode())

    rules = _read_rules(broker)
    for name, role in names.items():
        rules = re.sub(rf"\nuser {name}\n(topic .*\n)*", "", rules)
        if ROLES[role]:
            rules += f"\nuser {name}\n" + "".join(f"topic {rule}\n" for rule in ROLES[role])
    write_atomically(broker / "acl", rules.encode())


def _read_rules(broker: Path) -> str:
    rules = broker / "acl"
    return (rules if rules.exists() else ACL).read_text()


def _explain(folder: Path, is_first: bool, names: dict[str, str]) -> str:
    """Tell what to copy where."""
    host = find_host(folder / "broker" / "broker.crt")
    parts = [(FIRST_TIME if is_first else LATER).format(folder=folder, installed=INSTALLED)]
    for name, role in names.items():
        parts.append((ON_DEVICE if role == DEVICE else FOR_USER).format(folder=folder, name=name, host=host))
    return "\n".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog=f"python -m deploy.mosquitto.{NAME}",
        description="Makes what an MQTT broker, Inkling's devices and their users need to trust each other: "
        "a certificate authority, certificates, keys, passwords and access rules. Tells what to copy where. "
        "Run again it adds to what is there.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where it all is; kept from others' eyes")

    def add_option(name: str, metavar: str, explanation: str) -> None:
        parser.add_argument(f"--{name}", action="append", default=[], metavar=metavar, help=explanation)

    add_option("broker", "HOST", "a name or IP address to reach the broker by; others are told the first one")
    for role, explanation in EXPLANATIONS.items():
        add_option(role, "NAME", explanation)
    add_option("lock-out", "NAME", "take a user's password and rights away")
    options = vars(parser.parse_args(arguments))

    folder, hosts = options["folder"], options["broker"]
    roles = [(name, role) for role in EXPLANATIONS for name in options[role.replace("-", "_")]]
    names = dict(roles)
    if len(names) < len(roles):
        raise CredentialsError("a name is given twice: each user needs its own")
    if not (hosts or names or options["lock_out"]):
        parser.error("nothing to do: give --broker, --device or another option")
    for name in options["lock_out"]:
        lock_out(folder, name)
    if hosts or names:
        create_credentials(folder, hosts, names)
    print(_explain(folder, bool(hosts), names), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(NAME, main))
