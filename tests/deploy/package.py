"""The Debian package, built as it ships."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

BUILDERS = ("dh", "dh_python3", "dpkg-buildpackage", "fakeroot")


def build_package(folder: Path, **options) -> Path:
    """Build it into a folder; skip the test where it cannot be."""
    missing = [program for program in BUILDERS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed; 'make deb' installs it")
    bin_folder = Path(sys.executable).parent
    done = subprocess.run(
        [ROOT / "deploy" / "package.sh", bin_folder, folder],
        capture_output=True,
        text=True,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def rebuild(package: Path, folder: Path, version: str) -> Path:
    """The same package under another version."""
    contents = folder / version
    subprocess.run(["dpkg-deb", "--raw-extract", package, contents], check=True)
    control = contents / "DEBIAN" / "control"
    lines = control.read_text().splitlines()
    control.write_text(
        "\n".join(f"Version: {version}" if line.startswith("Version:") else line for line in lines) + "\n"
    )
    other = folder / f"inkling-edge_{version}_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", contents, other], check=True, stdout=subprocess.DEVNULL
    )
    return other
