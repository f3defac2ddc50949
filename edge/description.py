"""The description of a device: its software, weights and configuration, as `info` tells them."""

from __future__ import annotations

from edge.config import Configuration
from edge.deliveries import Deliveries
from shared import __version__
from shared.messages import InfoMessage

SOFTWARE = f"inkling-pi {__version__}"


def describe(configuration: Configuration, deliveries: Deliveries) -> InfoMessage:
    """Tell what this device is, without user names, passwords and paths."""
    wanted = deliveries.describe()
    camera, mqtt, card = configuration.camera, configuration.mqtt, deliveries.running.card
    return InfoMessage(
        software=SOFTWARE,
        weights={
            "sha256": deliveries.running.sha256,
            "layers": list(card.layers),
            "metrics": card.metrics,
            "date": card.date,
            "can_be_delivered": deliveries.are_taken,
            **({} if wanted is None else {"wanted": wanted}),
        },
        configuration={
            "camera": {
                "kind": camera.kind,
                "width": camera.width,
                "height": camera.height,
                "frames_per_second": camera.frames_per_second,
            },
            "settling": vars(configuration.settling),
            "mqtt": {
                "host": mqtt.host,
                "port": mqtt.port,
                "tls": mqtt.tls,
                "queued_events": mqtt.queued_events,
            },
            "leds": {
                "kind": configuration.leds.kind,
                "pins": list(configuration.leds.pins),
                "brightness": configuration.leds.brightness,
            },
            "health": vars(configuration.health),
        },
    )
