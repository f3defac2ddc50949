import re
from dataclasses import fields
from pathlib import Path

from shared.messages import HealthMessage

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "mqtt-exporter.yaml"


def test_every_metric_is_taken_from_a_key_that_health_messages_have():
    taken = re.findall(r"mqtt_name: (\S+)", CONFIGURATION.read_text())
    assert len(taken) == len(set(taken)) == 9
    assert set(taken) <= {field.name for field in fields(HealthMessage)}
