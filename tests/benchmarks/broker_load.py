"""Many devices on one Mosquitto: the daemon's own messaging, without cameras, and one who hears all events.

    python -m tests.benchmarks.broker_load [--devices N] [--rate EVENTS] [--seconds S] [--processes N]

Each event is an event and a prediction, with quality of service 1. Latency is from the moment a digit is
announced, by the event's own `ts`, which is in whole milliseconds, until it is heard.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from rich.progress import track

from deploy.broker import find_free_port, start_broker
from edge.config import MqttSettings
from edge.health import measure_memory_mb
from shared.weights import load_weights
from tests.device import Device

# As in deploy/mosquitto: who hears a thousand devices must be allowed to lag behind.
BROKER = "allow_anonymous true\nmax_queued_messages 10000\nmax_inflight_messages 100\n"

CONNECT_TIMEOUT_S = 120.0
DRAIN_TIMEOUT_S = 30.0
PERCENTILES = (50, 95, 99, 100)


def run_devices(
    names: list[str], port: int, rate: float, go: Event, stop: Event, results: multiprocessing.Queue[Any]
) -> None:
    """Be some of the devices: each announces digits at a steady rate, and they take turns."""
    logging.disable(logging.WARNING)
    trained, settings = load_weights(), MqttSettings(host="127.0.0.1", port=port)
    devices = [Device(settings, name, run=name, health_s=60.0, own=trained) for name in names]
    until = time.monotonic() + CONNECT_TIMEOUT_S
    while not all(device.is_online for device in devices) and time.monotonic() < until:
        time.sleep(0.1)
    results.put(("connected", sum(device.is_online for device in devices)))
    go.wait()
    sent, started, cpu_before_s = 0, time.monotonic(), time.process_time()
    while not stop.is_set():
        due = started + sent / (rate * len(names))
        if (wait := due - time.monotonic()) > 0:
            time.sleep(wait)
        seq, index = divmod(sent, len(names))
        devices[index].see(seq % 10)
        sent += 1
    lag_s = time.monotonic() - due
    cpu_s = time.process_time() - cpu_before_s
    for device in devices:
        device.output.close()
    dropped = sum(device.output.dropped for device in devices)
    results.put(("sent", (sent, dropped, lag_s, cpu_s)))


class Listener:
    """Hears every event."""

    def __init__(self, port: int) -> None:
        self.heard: Counter[str] = Counter()
        self.latencies_ms: list[float] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("inkling/+/event", qos=1)
        self._client.loop_start()

    def _hear(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        now = time.time()
        event = json.loads(message.payload)
        sent = np.datetime64(event["ts"].removesuffix("+00:00"), "ms").astype(float)
        self.heard[event["id"]] += 1
        self.latencies_ms.append(1000 * now - sent)

    def close(self) -> None:
        """Hear no more."""
        self._client.disconnect()
        self._client.loop_stop()


def measure_cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(devices: int, rate: float, seconds: float, processes: int, port: int, pid: int) -> dict[str, Any]:
    """Drive the devices and listen; returns the figures."""
    go, stop = multiprocessing.Event(), multiprocessing.Event()
    results: multiprocessing.Queue[Any] = multiprocessing.Queue()
    names = [f"load-{number:04}" for number in range(devices)]
    listener = Listener(port)
    workers = [
        multiprocessing.Process(
            target=run_devices, args=(names[part::processes], port, rate, go, stop, results), daemon=True
        )
        for part in range(processes)
    ]
    for worker in workers:
        worker.start()
    connected = sum(results.get(timeout=2 * CONNECT_TIMEOUT_S)[1] for _ in workers)
    print(f"{connected} of {devices} devices connected", file=sys.stderr)
    broker_before, began = measure_cpu_s(pid), time.monotonic()
    go.set()
    for _ in track(range(round(seconds)), "events", disable=not sys.stderr.isatty()):
        time.sleep(1)
    stop.set()
    elapsed = time.monotonic() - began
    broker_cpu = (measure_cpu_s(pid) - broker_before) / elapsed
    told = [results.get(timeout=DRAIN_TIMEOUT_S * 10)[1] for _ in workers]
    sent, dropped = sum(one[0] for one in told), sum(one[1] for one in told)
    until = time.monotonic() + DRAIN_TIMEOUT_S
    while len(listener.heard) < sent and time.monotonic() < until:
        time.sleep(0.1)
    for worker in workers:
        worker.join()
    listener.close()
    return {
        "devices": devices,
        "connected": connected,
        "seconds": round(elapsed, 1),
        "events_sent": sent,
        "events_heard": len(listener.heard),
        "lost": sent - len(listener.heard),
        "repeated": sum(listener.heard.values()) - len(listener.heard),
        "dropped_by_devices": dropped,
        "messages_per_s": round(2 * sent / elapsed, 1),
        "latency_ms": {
            str(percentile): round(float(np.percentile(listener.latencies_ms, percentile)), 1)
            for percentile in PERCENTILES
        },
        "devices_lag_s": round(max(one[2] for one in told), 3),
        "broker_cpu": round(broker_cpu, 3),
        "broker_memory_mb": round(measure_memory_mb(pid), 1),
        "devices_cpu": round(sum(one[3] for one in told) / elapsed, 3),
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.broker_load", description=__doc__)
    parser.add_argument("--devices", type=int, default=1000, metavar="N")
    parser.add_argument("--rate", type=float, default=1.0, metavar="EVENTS", help="a second and device")
    parser.add_argument("--seconds", type=float, default=300.0, metavar="S")
    parser.add_argument("--processes", type=int, default=4, metavar="N", help="that the devices share")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = find_free_port()
        broker = start_broker(Path(folder), port, BROKER)
        try:
            figures = measure(
                options.devices, options.rate, options.seconds, options.processes, port, broker.pid
            )
        finally:
            broker.terminate()
            broker.wait()
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):20} {value}")


if __name__ == "__main__":
    main()
