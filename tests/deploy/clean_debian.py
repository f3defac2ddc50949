"""Clean Debians to install the package in: in a chroot, also for a Pi's processor, or started with systemd.

The only packages that are not Debian's own stand in for those that only Raspberry Pi OS has, or has newer.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, wait_until

ROOTS = ROOT / "build" / "roots"
# What changes without the package's doing.
SCREENED = (
    *("dev", "proc", "run", "sys", "tmp", "root"),
    *("var/cache", "var/log", "var/lib/dpkg", "var/lib/apt"),
)

# What is in them before, since they know of no archive: what Raspberry Pi OS has, or gets with the package,
INCLUDED = (
    *("systemd", "systemd-sysv", "python3-numpy", "python3-scipy", "python3-gpiozero", "python3-pil"),
    "python3-paho-mqtt",
    "python3-cryptography",
    # and what the edge's tests need.
    *("python3-pytest", "python3-hypothesis", "python3-platformdirs"),
)
STAND_INS = ("python3-picamera2", "python3-lgpio")
PACK_GPIOZERO = ROOT / "deploy" / "emulated_pi" / "pack_gpiozero.sh"

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {
    "PATH": PATH,
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "GPIOZERO_PIN_FACTORY": "mock",
    # Where the processor is emulated: an instruction that a Pi Zero lacks ends the program.
    "QEMU_CPU": "arm1176",
}

PATIENCE_S = 900.0

FOREIGN = "armel"
NATIVE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def need(*commands):
    """Skip the test where it cannot be."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a clean Debian to install in")
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed; 'make test-deb' installs it")


class CleanDebian:
    """A root file system of its own.

    Parameters
    ----------
    folder : where it is unpacked; must not exist
    suite : bookworm or trixie
    architecture : Debian's name for it
    """

    def __init__(self, folder: Path, suite: str, architecture: str) -> None:
        need("mmdebstrap", "unshare")
        if architecture == FOREIGN and _cannot_run_foreign():
            pytest.skip(
                "programs for a Pi's processor cannot be run: 'deploy/emulated_pi/enable.sh' lets them"
            )
        self.folder = folder
        self.suite = suite
        tarball = ROOTS / f"{suite}-{architecture}.tar"
        if not tarball.exists():
            _make_root(tarball, suite, architecture)
        folder.mkdir(parents=True)
        _run("tar", "-C", folder, "-xpf", tarball)
        for name in STAND_INS:
            self.copy(_make_stand_in(folder / "tmp", name))
            self.run("dpkg", "-i", f"/root/{name}.deb")
        _run(PACK_GPIOZERO, sys.executable, folder / "root")
        self.run("dpkg", "-i", "/root/python3-gpiozero.deb")

    def run(self, *command, check=True, patience_s=PATIENCE_S, **environment):
        """Run a command in it, as root; standard output and errors are one."""
        return _run(
            *self._enter(),
            *command,
            check=check,
            patience_s=patience_s,
            env={**ENVIRONMENT, **environment},
        )

    def start(self, *command, log):
        """Start a command in it."""
        return subprocess.Popen([*self._enter(), *command], stdout=log, stderr=log, env=ENVIRONMENT)

    def copy(self, package: Path) -> str:
        """Bring a package in; returns where it is inside."""
        shutil.copy(package, self.folder / "root" / package.name)
        return f"/root/{package.name}"

    def list_files(self):
        """All files and folders, but for what a running system changes by itself."""
        found = set()
        for folder, folders, files in os.walk(self.folder):
            here = Path(folder).relative_to(self.folder)
            folders[:] = [name for name in folders if str(here / name) not in SCREENED]
            found.update(str(here / name) for name in (*folders, *files))
        return found

    def _enter(self):
        proc = self.folder / "proc"
        return [
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            f"--mount-proc={proc}",
            "chroot",
            str(self.folder),
        ]


class RunningDebian(CleanDebian):
    """One that is started, with systemd; it has this machine's network."""

    def __init__(self, folder: Path, suite: str) -> None:
        need("systemd-nspawn", "nsenter")
        self._leader = ""
        super().__init__(folder, suite, NATIVE)
        self._log_path = folder.parent / f"{folder.name}.log"
        self._nspawn = None
        self.switch_on()

    def switch_on(self, *options):
        """Switch it off and on again; options are of systemd-nspawn."""
        if self._nspawn:
            self.switch_off()
        with self._log_path.open("ab") as log:
            self._nspawn = subprocess.Popen(
                [
                    *(
                        "systemd-nspawn",
                        "--quiet",
                        "--register=no",
                        "--keep-unit",
                        "--console=pipe",
                        "--boot",
                    ),
                    *("-D", str(self.folder), *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # /tmp is on the disk, as it is on a Pi with Bookworm.
                env={
                    "PATH": PATH,
                    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                    "SYSTEMD_NSPAWN_TMPFS_TMP": "0",
                },
            )
        wait_until(self._is_up)

    def switch_off(self):
        """Let it shut down."""
        self._nspawn.terminate()
        self._nspawn.wait(60)
        self._leader = ""

    def read(self, *command):
        """What a command prints, whatever its exit status."""
        return self.run(*command, check=False).stdout.strip()

    def show(self, name):
        """A property of the service, as systemd tells it."""
        return self.read("systemctl", "show", "-P", name, "inkling-edge")

    def _is_up(self):
        assert self._nspawn.poll() is None, self._log_path.read_text()
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        self._leader = children.read_text().strip()
        return self._leader and self.read("systemctl", "is-system-running") in ("running", "degraded")

    def _enter(self):
        if not self._leader:
            return super()._enter()
        return ["nsenter", "--target", self._leader, "--all"]


def _run(*command, check=True, patience_s=PATIENCE_S, env=None):
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=patience_s,
        env=env,
    )
    assert not check or done.returncode == 0, done.stdout
    return done


def _make_root(tarball, suite, architecture):
    tarball.parent.mkdir(parents=True, exist_ok=True)
    unfinished = tarball.with_suffix(".part.tar")
    done = _run(
        *("mmdebstrap", "--quiet", "--variant=minbase", f"--architectures={architecture}"),
        # Neither what only slows it down, nor what nobody reads: scipy brings along all of Boost's headers.
        *("--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/include/*"),
        *(f"--include={','.join(INCLUDED)}", suite, unfinished),
        check=False,
    )
    if done.returncode != 0:
        unfinished.unlink(missing_ok=True)
        pytest.skip(f"Debian {suite} for {architecture} cannot be had: {' '.join(done.stdout.split())}")
    unfinished.rename(tarball)


def _make_stand_in(folder, name):
    control = folder / name / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text(
        f"Package: {name}\nVersion: 0.3\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
        "Description: stands in for what only Raspberry Pi OS has\n"
    )
    package = folder / f"{name}.deb"
    _run("dpkg-deb", "--root-owner-group", "--build", folder / name, package)
    shutil.rmtree(folder / name)
    return package


def _cannot_run_foreign():
    need("arch-test")
    return subprocess.run(["arch-test", FOREIGN], stdout=subprocess.DEVNULL).returncode != 0
