import getpass
import shutil
import ssl
import subprocess
from contextlib import ExitStack

import pytest

from deploy.broker import find_free_port, start_mosquitto
from deploy.mosquitto.authority import Authority
from deploy.mosquitto.credentials import create_credentials, lock_out
from shared.topics import HOME_ASSISTANT_STATUS, WEIGHTS_FOR_ALL, Topics
from tests.deploy.recipe import MISSING, Connection, Recipe, RefusedError, trust

DESK, KITCHEN = Topics("desk"), Topics("kitchen")
NAMES = {
    "desk": "device",
    "kitchen": "device",
    "laptop": "laptop",
    "home": "home-assistant",
    "prometheus": "reader",
}
WAYS = ["password", "certificate"]
REFUSED = "Not authorized"
SAID = {"Success", "No matching subscribers"}

# When TLS fails, paho 2.1 leaves it to the garbage collector to close the connection.
PAHO_FORGETS_A_SOCKET = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <ssl\.SSLSocket:pytest.PytestUnraisableExceptionWarning"
)


def tell_topics(topics):
    """List what a device says and hears."""
    states = [topics.availability, topics.prediction, topics.event, topics.health, topics.info, topics.view]
    asked = [topics.request("view"), topics.weights]
    return [*states, topics.response("view"), *asked, topics.discovery]


@pytest.fixture(scope="module")
def credentials(tmp_path_factory):
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    folder = tmp_path_factory.mktemp("credentials") / "ours"
    create_credentials(folder, ["localhost"], NAMES)
    return folder


@pytest.fixture(scope="module")
def shared_recipe(tmp_path_factory, credentials):
    recipe = Recipe(tmp_path_factory.mktemp("recipe"), credentials)
    yield recipe
    recipe.stop()


@pytest.fixture
def recipe(shared_recipe):
    """The broker, on which nothing is retained."""
    yield shared_recipe
    laptop = shared_recipe.connect("laptop")
    laptop.subscribe("inkling/#", "homeassistant/#")
    laptop.publish("inkling/end")
    for topic, payload in laptop.wait_for("inkling/end", b"{}"):
        if payload:
            laptop.publish(topic, b"", retain=True)
    laptop.close()


@pytest.fixture
def connect(recipe):
    """Connect to the broker until the test ends."""
    with ExitStack() as stack:

        def connect(*arguments, **options):
            connection = recipe.connect(*arguments, **options)
            stack.callback(connection.close)
            return connection

        yield connect


@pytest.mark.parametrize("way", WAYS)
def test_a_device_says_what_is_its_own_and_nothing_else(connect, way):
    laptop, desk = connect("laptop"), connect("desk", way)
    laptop.subscribe("inkling/#", "homeassistant/#")
    foreign = [*tell_topics(KITCHEN), "inkling/all/request/view", HOME_ASSISTANT_STATUS, "elsewhere"]
    foreign += ["inkling/desk2/event", "inkling//event", "homeassistant/sensor/desk/config"]
    assert {topic: desk.publish(topic, b"foreign", retain=True) for topic in foreign} == dict.fromkeys(
        foreign, REFUSED
    )
    own = tell_topics(DESK)
    assert {topic: desk.publish(topic, b"own") for topic in own} == dict.fromkeys(own, "Success")
    heard = laptop.wait_for(own[-1], b"own")
    assert heard == [(topic, b"own") for topic in own]
    # Nor is it kept for those who come later.
    late = connect("laptop")
    late.subscribe("#")
    assert late.publish("inkling/end") == "Success"
    assert late.wait_for("inkling/end", b"{}") == [("inkling/end", b"{}")]


@pytest.mark.parametrize("way", WAYS)
def test_a_device_hears_what_it_is_asked_and_nothing_else(connect, way):
    laptop, desk, kitchen = connect("laptop"), connect("desk", way), connect("kitchen", way)
    desk.publish(DESK.prediction, b"before", retain=True)
    kitchen.subscribe(DESK.request("+"), DESK.prediction, "inkling/+/+", "#", "+/desk/#", "$SYS/#")
    kitchen.subscribe("$share/all/inkling/#", "homeassistant/#", KITCHEN.request("+"))
    for topic in tell_topics(DESK):
        assert desk.publish(topic, b"not for you") in SAID
        assert laptop.publish(topic, b"not for you") in SAID
    assert kitchen.publish(KITCHEN.event, b"of its own") in SAID
    asked = [
        HOME_ASSISTANT_STATUS,
        WEIGHTS_FOR_ALL,
        KITCHEN.weights,
        KITCHEN.availability,
        KITCHEN.request("view"),
    ]
    for topic in asked:
        laptop.publish(topic, b"for you")
    heard = kitchen.wait_for(KITCHEN.request("view"), b"for you")
    # More than one of its subscriptions may bring the same message.
    assert set(heard) == {(topic, b"for you") for topic in asked}


def test_a_last_will_is_no_way_round(recipe, connect):
    laptop = connect("laptop")
    laptop.subscribe("inkling/#")
    for topics in (KITCHEN, DESK):
        desk = recipe.connect("desk", will=(topics.availability, b"will"))
        desk.vanish()
    assert laptop.wait_for(DESK.availability, b"will") == [(DESK.availability, b"will")]


def test_what_is_kept_for_one_is_not_given_to_another_who_uses_its_id(recipe, connect):
    kitchen = recipe.connect("kitchen", client_id="kitchen", expiry_s=60)
    kitchen.subscribe(KITCHEN.request("+"))
    kitchen.close()
    laptop = connect("laptop")
    laptop.publish(KITCHEN.request("view"), b"private")
    desk = connect("desk", client_id="kitchen", clean_start=False, expiry_s=60)
    laptop.publish(KITCHEN.request("view"), b"private too")
    desk.subscribe(DESK.request("+"))
    laptop.publish(DESK.request("view"), b"for you")
    assert desk.wait_for(DESK.request("view"), b"for you") == [(DESK.request("view"), b"for you")]


@pytest.mark.parametrize("one_id_each", [False, True])
def test_one_id_each_keeps_a_device_from_throwing_another_out(tmp_path, credentials, one_id_each):
    recipe = Recipe(tmp_path / "recipe", credentials, one_id_each)
    try:
        kitchen = recipe.connect("kitchen", client_id="kitchen")
        desk = recipe.connect("desk", client_id="kitchen")
        if one_id_each:
            assert kitchen.publish(KITCHEN.event) in SAID
            assert desk.publish(DESK.event) in SAID
        else:  # what the README warns of
            kitchen.wait_until_lost()
        kitchen.close()
        desk.close()
    finally:
        recipe.stop()


@pytest.mark.parametrize("way", WAYS)
def test_the_laptop_hears_and_says_everything(connect, way):
    laptop, desk, other = connect("laptop", way), connect("desk"), connect("laptop")
    other.subscribe("#", "$SYS/broker/version")
    topics = [*tell_topics(DESK), *tell_topics(KITCHEN), HOME_ASSISTANT_STATUS]
    assert {topic: laptop.publish(topic, b"laptop") for topic in topics} == dict.fromkeys(topics, "Success")
    desk.publish(DESK.event, b"desk")
    heard = [message for message in other.wait_for(DESK.event, b"desk") if message[0][0] != "$"]
    assert heard == [*((topic, b"laptop") for topic in topics), (DESK.event, b"desk")]
    assert any(topic == "$SYS/broker/version" for topic, _ in other.heard)


def test_home_assistant_and_a_reader_do_no_more_than_they_need(connect):
    desk, home, prometheus = connect("desk"), connect("home"), connect("prometheus")
    for listener in (home, prometheus):
        listener.subscribe("#")
    said = {topic: home.publish(topic, b"home") for topic in tell_topics(DESK)}
    assert {topic for topic, reason in said.items() if reason in SAID} == {
        DESK.request("view"),
        DESK.discovery,
    }
    assert home.publish(HOME_ASSISTANT_STATUS) in SAID
    said = {topic: prometheus.publish(topic, b"prometheus") for topic in tell_topics(DESK)}
    assert set(said.values()) == {REFUSED}
    desk.publish(DESK.discovery, b"desk")
    desk.publish(DESK.health, b"desk")
    assert (DESK.discovery, b"desk") in home.wait_for(DESK.health, b"desk")
    assert (DESK.discovery, b"desk") not in prometheus.wait_for(DESK.health, b"desk")


def test_nobody_gets_in_without_a_name_and_its_password(recipe, credentials):
    context = trust(credentials / "desk" / "ca.crt")
    password = (credentials / "desk" / "password").read_text().strip()
    for user in (None, ("desk", "wrong"), ("desk", ""), ("kitchen", password), ("nobody", password)):
        with pytest.raises(RefusedError, match="Not authorized"):
            Connection(recipe.password_port, context, user=user)
    Connection(recipe.password_port, context, user=("desk", password)).close()


def test_nobody_gets_in_without_encryption(recipe, credentials):
    user = ("desk", (credentials / "desk" / "password").read_text().strip())
    for port in (recipe.password_port, recipe.certificate_port):
        with pytest.raises((RefusedError, OSError)):
            Connection(port, user=user)


def test_only_a_client_certificate_of_our_authority_gets_in(tmp_path, recipe, credentials):
    stranger = Authority(tmp_path)
    stranger.create()
    stranger.issue(tmp_path, "stranger", "desk", "clientAuth")
    ours = credentials / "desk" / "ca.crt"
    user = ("desk", (credentials / "desk" / "password").read_text().strip())
    for pair in (None, tmp_path / "stranger", credentials / "broker" / "broker"):
        context = trust(ours)
        if pair:
            context.load_cert_chain(pair.with_suffix(".crt"), pair.with_suffix(".key"))
        with pytest.raises((RefusedError, OSError)):  # TLS 1.3 tells the client once it thinks to be in
            Connection(recipe.certificate_port, context, user=user)


def test_a_certificate_decides_who_one_is_whatever_one_says(recipe, credentials):
    own = credentials / "desk"
    context = trust(own / "ca.crt")
    context.load_cert_chain(own / "client.crt", own / "client.key")
    desk = Connection(recipe.certificate_port, context, user=("kitchen", "whatever"))
    assert desk.publish(KITCHEN.event) == REFUSED
    assert desk.publish(DESK.event) in SAID
    desk.close()


@PAHO_FORGETS_A_SOCKET
def test_a_client_refuses_what_is_not_its_broker(tmp_path, recipe, credentials):
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        Connection(recipe.password_port, trust(credentials / "desk" / "ca.crt"), host="127.0.0.1")
    stranger = Authority(tmp_path)
    stranger.create()
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"):
        Connection(recipe.password_port, trust(stranger.certificate))


def expire(folder, authority):
    """Sign the broker's certificate as if that had been yesterday."""
    authority.issue(folder, "broker", "broker", "serverAuth", ["localhost"])
    certificate, key, request = folder / "broker.crt", folder / "broker.key", folder / "request"
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName = DNS:localhost\nauthorityKeyIdentifier = keyid\n")
    signer = ["-CA", authority.certificate, "-CAkey", authority.key, "-set_serial", "1"]
    for command in (
        ["-x509toreq", "-in", certificate, "-signkey", key, "-out", request],
        ["-req", "-in", request, *signer, "-days", "-1", "-extfile", extensions, "-out", certificate],
    ):
        subprocess.run(["openssl", "x509", *command], check=True, capture_output=True)


def pose(folder, authority):
    """Let a device's certificate pass for the broker's."""
    authority.issue(folder, "broker", "localhost", "clientAuth", ["localhost"])


@PAHO_FORGETS_A_SOCKET
@pytest.mark.parametrize(
    ("prepare", "reason"), [(expire, "certificate has expired"), (pose, "unsuitable certificate purpose")]
)
def test_a_client_refuses_a_certificate_that_is_not_good(tmp_path, credentials, prepare, reason):
    prepare(tmp_path, Authority(credentials / "ca"))
    port = find_free_port()
    broker = start_mosquitto(
        tmp_path,
        port,
        f"user {getpass.getuser()}\nallow_anonymous true\nlistener {port} 127.0.0.1\n"
        f"certfile {tmp_path / 'broker.crt'}\nkeyfile {tmp_path / 'broker.key'}\n",
    )
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            Connection(port, trust(credentials / "desk" / "ca.crt"))
    finally:
        broker.terminate()
        broker.wait()


def test_a_message_can_be_large_but_not_huge(connect):
    desk = connect("desk")
    assert desk.properties.MaximumPacketSize == 5_000_000
    assert desk.publish(DESK.view, bytes(4_500_000)) in SAID
    desk._client.publish(DESK.view, bytes(5_100_000), 1)
    desk.wait_until_lost()


def test_devices_come_and_go_while_the_broker_runs(tmp_path, credentials):
    folder = tmp_path / "credentials"
    shutil.copytree(credentials, folder)
    recipe = Recipe(tmp_path / "recipe", folder)
    try:
        desk, kitchen = recipe.connect("desk"), recipe.connect("kitchen", "certificate")
        laptop = recipe.connect("laptop")
        create_credentials(folder, [], {"attic": "device", "tablet": "laptop"})
        lock_out(folder, "kitchen")
        with pytest.raises(RefusedError, match="Not authorized"):
            recipe.connect("attic")
        recipe.reload()
        tablet = _connect_soon(recipe, "tablet")
        attic = recipe.connect("attic")
        tablet.subscribe("inkling/#")
        assert attic.publish("inkling/attic/event") == "Success"
        assert desk.publish(DESK.event) == "Success"
        # Who is locked out keeps the connection, and it is good for nothing.
        kitchen.subscribe(KITCHEN.request("+"))
        assert kitchen.publish(KITCHEN.event) == REFUSED
        laptop.publish(KITCHEN.request("view"))
        with pytest.raises(RefusedError, match="Not authorized"):
            recipe.connect("kitchen")
        again = recipe.connect("kitchen", "certificate")
        assert again.publish(KITCHEN.event) == REFUSED
        assert not kitchen.heard
        for connection in (desk, kitchen, laptop, tablet, attic, again):
            connection.close()
    finally:
        recipe.stop()


def _connect_soon(recipe, name):
    for _ in range(100):
        try:
            return recipe.connect(name)
        except RefusedError:
            pass
    raise AssertionError("the broker did not read its files again")
