"""`inkling-edge`, or `python -m edge`: runs the command and says what went wrong."""

from __future__ import annotations

from shared.command_line import run_command

NAME = "inkling-edge"


def main() -> int:
    """Run the command line; returns the exit status."""
    return run_command(NAME, _run)


def _run() -> int:
    # Imported here, so that Ctrl-C meanwhile ends as cleanly as later.
    from edge.cli import main as run

    return run()


if __name__ == "__main__":
    raise SystemExit(main())
