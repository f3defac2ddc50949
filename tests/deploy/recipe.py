"""The Mosquitto recipe, as it is shipped, on free ports of this machine; and somebody to connect to it."""

import getpass
import shutil
import signal
import socket
import ssl
import threading
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from deploy.broker import find_free_port, find_mosquitto, start_mosquitto
from deploy.mosquitto.credentials import CONFIGURATION, INSTALLED, PROGRAMS

# What Debian's own mosquitto.conf says, and ours in its conf.d.
DEBIAN = """\
user {user}
persistence true
persistence_location {folder}/
include_dir {folder}/conf.d
"""

# What the tests of the recipe cannot do without.
MISSING = [name for name in PROGRAMS if shutil.which(name) is None] + ["mosquitto"] * (
    find_mosquitto() is None
)

TIMEOUT_S = 15.0


class Recipe:
    """A broker with `inkling.conf`, which reads the very folder that credentials were made in."""

    def __init__(self, folder: Path, credentials: Path, one_id_each: bool = False) -> None:
        self.credentials = credentials
        self.password_port, self.certificate_port = find_free_port(), find_free_port()
        text = CONFIGURATION.read_text().replace(INSTALLED, str(credentials / "broker"))
        text = text.replace("listener 8883\n", f"listener {self.password_port} 127.0.0.1\n")
        text = text.replace("listener 8884\n", f"listener {self.certificate_port} 127.0.0.1\n")
        if one_id_each:
            text = text.replace("#use_username_as_clientid", "use_username_as_clientid")
        (folder / "conf.d").mkdir(parents=True)
        (folder / "conf.d" / "inkling.conf").write_text(text)
        configuration = DEBIAN.format(user=getpass.getuser(), folder=folder)
        self.process = start_mosquitto(folder, self.certificate_port, configuration)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def connect(self, name, by="password", **options):
        """Connect as one of those who have credentials."""
        own = self.credentials / name
        context = trust(own / "ca.crt")
        if by == "certificate":
            context.load_cert_chain(own / "client.crt", own / "client.key")
            return Connection(self.certificate_port, context, **options)
        user = (name, (own / "password").read_text().strip())
        return Connection(self.password_port, context, user=user, **options)


def trust(authority: Path) -> ssl.SSLContext:
    """Trust one authority, as strictly as Python 3.13 does."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


class RefusedError(Exception):
    """The broker did not let us in."""


class Connection:
    """A connection that has been let in; it keeps what it hears.

    Parameters
    ----------
    port : of localhost
    context : TLS's, or None for none
    user : name and password, or None
    """

    def __init__(self, port, context=None, user=None, host="localhost", will=None, **session):
        self.heard: list[tuple[str, bytes]] = []
        self._answers: dict[int, object] = {}
        self._changed = threading.Condition()
        self.reason = self.properties = self.lost = None
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            session.get("client_id", ""),
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        if context:
            client.tls_set_context(context)
        if user:
            client.username_pw_set(*user)
        if will:
            client.will_set(*will, qos=1)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish, client.on_subscribe, client.on_message = self._note, self._note, self._on_message
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = session.get("expiry_s", 0)
        try:
            client.connect(host, port, clean_start=session.get("clean_start", True), properties=properties)
            client.loop_start()
            self._wait(lambda: self.reason is not None or self.lost is not None)
            if self.reason is None or self.reason.is_failure:
                raise RefusedError(str(self.reason or self.lost))
        except BaseException:
            self.close()
            raise

    def publish(self, topic, payload=b"{}", retain=False):
        """Publish with quality of service 1; returns the broker's reason."""
        return str(self._ask(lambda: self._client.publish(topic, payload, 1, retain).mid))

    def subscribe(self, *filters):
        """Subscribe; returns the broker's reasons, many of which are no promise."""
        return self._ask(
            lambda: self._client.subscribe([(each, paho.SubscribeOptions(1)) for each in filters])[1]
        )

    def wait_for(self, topic, payload):
        """Wait until a message has come; returns all that came until then."""
        self._wait(lambda: (topic, payload) in self.heard)
        return self.heard

    def wait_until_lost(self):
        """Wait until the connection has ended; Mosquitto 2.0.11 does not say why."""
        self._wait(lambda: self.lost is not None)

    def vanish(self):
        """End without a farewell, so that the last will is said."""
        self._client.socket().shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()

    def _ask(self, question):
        number = question()
        self._wait(lambda: number in self._answers)
        return self._answers.pop(number)

    def _wait(self, condition):
        with self._changed:
            assert self._changed.wait_for(condition, TIMEOUT_S), f"not within {TIMEOUT_S} s"

    def _tell(self, note):
        with self._changed:
            note()
            self._changed.notify_all()

    def _on_connect(self, _client, _data, _flags, reason, properties):
        def note():
            self.reason, self.properties = reason, properties

        self._tell(note)

    def _on_disconnect(self, _client, _data, _flags, reason, _properties):
        self._tell(lambda: setattr(self, "lost", reason))

    def _note(self, _client, _data, number, reason, _properties):
        self._tell(lambda: self._answers.__setitem__(number, reason))

    def _on_message(self, _client, _data, message):
        self._tell(lambda: self.heard.append((message.topic, message.payload)))
