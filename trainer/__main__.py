"""`inkling-trainer`, or `python -m trainer`: runs the command and says what went wrong."""

from __future__ import annotations

from importlib import import_module

from shared.command_line import run_command


def main() -> int:
    """Run the command line; returns the exit status."""
    # Imported under guard, so that Ctrl-C meanwhile ends as cleanly as later.
    return run_command("inkling-trainer", lambda: int(import_module("trainer.cli").main()))


if __name__ == "__main__":
    raise SystemExit(main())
