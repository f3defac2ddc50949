"""Switches an emulated Pi Zero on, with Inkling from its package, and sees whether it does what it should.

The Pi (QEMU's raspi0) looks at ten images in a folder, tells a Mosquitto on this machine, and lights LEDs.
Its daemon is killed, hung and stopped, and its power cut. At the end comes a table. Times are the Pi's own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from deploy.broker import ANYBODY, start_broker
from deploy.emulated_pi.card import DIGIT_PINS, PORT, STATUS_PIN, make_card
from deploy.emulated_pi.findings import Findings
from deploy.emulated_pi.listener import Listener, read_retained_availability
from deploy.emulated_pi.pi import PATIENCE_S, PROMPT, Pi, PiError
from deploy.emulated_pi.power_cuts import cut_power_often
from shared.reading import show_confidence

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "build" / "raspi0"

SHOW = "systemctl show inkling-edge --value"
UPTIME = "cut -d' ' -f1 /proc/uptime"

# Harms the daemon, and waits until another is ready; says when that began (seconds), and when it was over
# (microseconds). It seldom looks: that takes an emulated Pi longer than waiting does.
RECOVER = (
    f"old=$({SHOW} -p MainPID); {UPTIME}; {{harm}}; "
    f'until [ "$(systemctl is-active inkling-edge)" = active ] && [ "$({SHOW} -p MainPID)" != "$old" ]; '
    f"do sleep 3; done; {SHOW} -p ActiveEnterTimestampMonotonic"
)
HARMS = {
    "kill -9": "kill -KILL $old",
    "the whole daemon hangs (kill -STOP)": "kill -STOP $old",
    # As when a driver hangs: the thread that asks the camera never comes back from the kernel, which stops it
    # as for a debugger (PTRACE_SEIZE, PTRACE_INTERRUPT); the daemon's other threads go on.
    "the camera's thread hangs": (
        "(python3 -c 'import ctypes, os, sys; trace, daemon = ctypes.CDLL(None).ptrace, int(sys.argv[1]); "
        "trace(0x4206, daemon, 0, 0); trace(0x4207, daemon, 0, 0); "
        # Once for its standing still, and once for its end: or the dead would wait for us.
        "os.waitpid(daemon, 0x40000000); os.waitpid(daemon, 0x40000000)' $old &)"
    ),
}

# The goals.
DIGITS = 10
LONGEST_TO_FIRST_DIGIT_S, LONGEST_TO_READY_S, MOST_MEMORY_MB, LONGEST_RECOVERY_S = 15.0, 3.0, 48.0, 30.0


def main() -> None:
    """Make the card if asked to, switch on, and tell what comes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help=f"of the card, made anew (default: {FOLDER})"
    )
    parser.add_argument("--package", type=Path, help="inkling-edge's; without it the card is used as it is")
    parser.add_argument(
        "--power-cuts", type=int, default=10, help="how often its power is cut (default: %(default)d)"
    )
    parser.add_argument("--only-power-cuts", action="store_true", help="leave all else out")
    options = parser.parse_args()
    folder: Path = options.folder
    if options.package:
        make_card(folder, options.package)
    log = folder / "console.log"
    log.unlink(missing_ok=True)
    findings = Findings()
    with tempfile.TemporaryDirectory() as name:
        broker = start_broker(Path(name), PORT, ANYBODY)
        try:
            if not options.only_power_cuts:
                watch(folder, log, findings)
            if options.power_cuts:
                cut_power_often(folder, log, options.power_cuts, findings)
        except PiError as error:
            findings.note("the emulated Pi", f"{error}; see {log}", "goes on", False)
        finally:
            broker.terminate()
            broker.wait()
    findings.print()
    sys.exit(not findings.all_good)


def watch(folder: Path, log: Path, findings: Findings) -> None:
    """Switch it on and see what it says and lights, what it costs, and how it recovers and ends."""
    listener, pi = Listener(PORT), Pi(folder, log)
    try:
        see_digits(pi, listener, findings)
        if pi.expect(PROMPT, PATIENCE_S) is None:
            raise PiError("nobody is logged in")
        ask_about_start(pi, listener, findings)
        for what, harm in HARMS.items():
            begin, end = map(float, pi.ask(RECOVER.format(harm=harm), PATIENCE_S).split())
            findings.note_at_most(
                f"{what}: another is ready after", end / 1e6 - begin, LONGEST_RECOVERY_S, "s"
            )
        see_it_stop(pi, findings)
    finally:
        pi.cut_power()
        listener.close()


def see_digits(pi: Pi, listener: Listener, findings: Findings) -> None:
    """Hear the ten digits, and look at the LEDs at each."""
    begin = time.monotonic()
    arrived: list[int] = []
    lit: list[list[int]] = []
    while len(arrived) < DIGITS:
        if time.monotonic() > begin + PATIENCE_S:
            raise PiError(f"only {len(arrived)} digits within {PATIENCE_S:g} real seconds")
        pi.listen(0.05)
        if len(listener.events) > len(arrived):
            levels = pi.read_pins()
            event = listener.events[len(arrived)]
            arrived.append(event["digit"])
            lit.append([pin - DIGIT_PINS[0] for pin in DIGIT_PINS if pin in levels])
            print(
                f"{event['digit']} (confidence {show_confidence(event['confidence'])}) after "
                f"{time.monotonic() - begin:.0f} real seconds; pins that are high: {sorted(levels)}",
                flush=True,
            )
    # The folder's images are the digits from 0 on, and so is what it should say.
    expected = list(range(DIGITS))
    right = sum(digit == wanted for digit, wanted in zip(arrived, expected, strict=True))
    findings.note("right digits over MQTT", f"{right} of {DIGITS}", f"{DIGITS} of {DIGITS}", right == DIGITS)
    right = sum(leds == [wanted] for leds, wanted in zip(lit, expected, strict=True))
    findings.note("right LED pins high", f"{right} of {DIGITS}", f"{DIGITS} of {DIGITS}", right == DIGITS)


def ask_about_start(pi: Pi, listener: Listener, findings: Findings) -> None:
    """Ask the Pi how long all took, and how much memory."""
    # It has no clock that keeps the time: it counts on from when its card was made.
    clock, uptime = map(float, pi.ask(f"echo $(date +%s.%N) $({UPTIME})").split())
    first = datetime.fromisoformat(listener.events[0]["ts"]).timestamp() - (clock - uptime)
    findings.note_at_most("power-on to the first digit at the broker", first, LONGEST_TO_FIRST_DIGIT_S, "s")
    started, ready = (
        int(pi.ask(f"{SHOW} -p {name}")) / 1e6
        for name in ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    )
    findings.note_at_most("the daemon's start to READY", ready - started, LONGEST_TO_READY_S, "s")
    peak = pi.ask(f"grep VmHWM /proc/$({SHOW} -p MainPID)/status | tr -dc 0-9")
    findings.note_at_most("peak memory of the daemon", int(peak) * 1024 / 1e6, MOST_MEMORY_MB, "MB")
    findings.note("the service", pi.ask(f"{SHOW} -p NRestarts -p StatusText | paste -sd' '"), "")


def see_it_stop(pi: Pi, findings: Findings) -> None:
    """Stop the service while it shows a digit, and see what is left of it."""
    before = pi.read_pins()
    pi.ask("systemctl stop inkling-edge")
    levels = sorted(pi.read_pins() & {*DIGIT_PINS, STATUS_PIN})
    findings.note(
        "systemctl stop: pins that are high",
        f"{levels or 'none'} (before: {sorted(before)})",
        "none",
        not levels,
    )
    availability = read_retained_availability(PORT)
    findings.note("then the broker keeps", availability, "offline", availability == "offline")


if __name__ == "__main__":
    main()
