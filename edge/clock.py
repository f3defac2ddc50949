"""The wall clock, which a Pi does not have until the network tells it the time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

# systemd-timesyncd makes the folder when it starts, and the file once it has the time.
TIMESYNC = Path("/run/systemd/timesync")


def tell_time(timesync: Path = TIMESYNC) -> str | None:
    """Tell the time in UTC as RFC 3339, or None while the clock is not set."""
    if timesync.is_dir() and not (timesync / "synchronized").exists():
        return None
    return datetime.now(UTC).isoformat(timespec="milliseconds")
