"""Home Assistant's core with its MQTT integration and nothing else, run by the Python that has it.

    python home_assistant_core.py FOLDER BROKER_PORT WEB_PORT

It tells on standard output, one JSON object a line: each change of a state, each warning in the log, and the
answers to what it is asked on standard input, one JSON object a line: {"verb": VERB, ...}.
"""

import asyncio
import base64
import importlib
import json
import logging
import sys
import threading
from pathlib import Path

from homeassistant import bootstrap, loader
from homeassistant.components import mqtt
from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA
from homeassistant.config_entries import SOURCE_USER, ConfigEntries, ConfigEntry
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant, callback
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers import device_registry, entity_registry
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from voluptuous import Invalid

# It complains of how this program starts it, and of a library that makes it faster.
NOT_OURS = ("aiohttp_fast_zlib", "homeassistant.helpers.frame")


PRINTING = threading.Lock()  # what is logged comes from many threads


def tell(**message):
    with PRINTING:
        print(json.dumps(message, default=str), flush=True)


class Complaints(logging.Handler):
    def emit(self, record):
        if record.name not in NOT_OURS:
            tell(complaint=f"{record.name}: {record.getMessage()}")


@callback
def tell_state(event):
    state = event.data["new_state"]
    if state is None:
        tell(entity=event.data["entity_id"], state=None, attributes={})
    else:
        tell(entity=state.entity_id, state=state.state, attributes=dict(state.attributes))


async def start(folder, broker_port, web_port):
    Path(folder, "configuration.yaml").touch()
    hass = HomeAssistant(folder)
    hass.config.skip_pip = True  # or it would fetch what it misses
    loader.async_setup(hass)
    hass.config_entries = ConfigEntries(hass, {})
    await loader.async_get_custom_components(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_process_ha_core_config(hass, {})
    hass.bus.async_listen(EVENT_STATE_CHANGED, tell_state)
    for domain in bootstrap.CORE_INTEGRATIONS:
        await async_setup_component(hass, domain, {})
    http = {"server_host": "127.0.0.1", "server_port": web_port}
    await async_setup_component(hass, "http", {"http": http})
    await hass.async_start()
    entry = ConfigEntry(
        domain=mqtt.DOMAIN,
        title="broker",
        data={mqtt.CONF_BROKER: "127.0.0.1", "port": broker_port, "protocol": "5"},
        version=mqtt.CONFIG_ENTRY_VERSION,
        minor_version=mqtt.CONFIG_ENTRY_MINOR_VERSION,
        source=SOURCE_USER,
        options={},
        unique_id=None,
        discovery_keys={},
        subentries_data=(),
    )
    await hass.config_entries.async_add(entry)
    return hass, entry


class Answers:
    """What can be asked, a method for each verb."""

    def __init__(self, hass, entry):
        self._hass = hass
        self._entry = entry

    async def validate(self, discovery):
        """What Home Assistant's schemas refuse of a discovery message; nothing, if it is right."""
        refusals = []

        def check(where, schema, content):
            try:
                schema(content)
            except Invalid as error:
                refusals.append(f"{where}: {error}")

        check("message", DEVICE_DISCOVERY_SCHEMA, discovery)
        shared = {key: value for key, value in discovery.items() if key != "components"}
        for key, component in discovery["components"].items():
            own = {name: value for name, value in component.items() if name != "platform"}
            platform = importlib.import_module(f"homeassistant.components.mqtt.{component['platform']}")
            check(key, platform.DISCOVERY_SCHEMA, shared | own)
        return refusals

    async def entities(self):
        """The entities there are, by their unique id."""
        return {
            entry.unique_id: {
                "entity": entry.entity_id,
                "category": entry.entity_category,
                "enabled": entry.disabled_by is None,
            }
            for entry in entity_registry.async_get(self._hass).entities.values()
        }

    async def devices(self):
        return [
            {"identifiers": sorted(name for _, name in device.identifiers), "name": device.name}
            | {"model": device.model, "software": device.sw_version}
            for device in device_registry.async_get(self._hass).devices.values()
        ]

    async def enable(self):
        """Enable every entity that is not enabled by default."""
        registry = entity_registry.async_get(self._hass)
        for entry in list(registry.entities.values()):
            registry.async_update_entity(entry.entity_id, disabled_by=None)
        await self._hass.config_entries.async_reload(self._entry.entry_id)

    async def automate(self, text):
        automations = parse_yaml(text)
        await async_setup_component(self._hass, "automation", {"automation": automations})

    async def call(self, domain, service, entity):
        await self._hass.services.async_call(domain, service, {"entity_id": entity}, blocking=True)

    async def image(self, entity):
        image = self._hass.data[DATA_INSTANCES]["image"].get_entity(entity)
        content = await image.async_image()
        return {"type": image.content_type, "content": base64.b64encode(content or b"").decode()}


async def main(folder, broker_port, web_port):
    logging.basicConfig(handlers=[Complaints(logging.WARNING)])
    hass, entry = await start(folder, int(broker_port), int(web_port))
    tell(answer=entry.state.value)
    answers = Answers(hass, entry)
    while line := await asyncio.to_thread(sys.stdin.readline):
        request = json.loads(line)
        verb = request.pop("verb")
        try:
            tell(answer=await getattr(answers, verb)(**request))
        except Exception as error:
            tell(error=f"{type(error).__name__}: {error}")
    await hass.async_stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
