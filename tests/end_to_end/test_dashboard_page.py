"""The page in a real browser, with the real daemon, a simulated camera and a real Mosquitto."""

import json
import re
import signal
import time
from pathlib import Path

import pytest

from deploy.mosquitto.credentials import create_credentials
from shared.idx import TEST_IMAGES, TEST_LABELS, TRAINING_IMAGES, TRAINING_LABELS
from shared.messages import InfoMessage
from shared.weights import load_weights
from tests.conftest import wait_until
from tests.dashboard import say_event
from tests.deploy.recipe import MISSING, Recipe
from tests.idx_files import write_idx
from tests.subscriber import TOPICS
from trainer.library import Library
from trainer.signing import make_key, tell_public_key

VIEWS = ("devices", "draw", "inside", "library", "learn")


def test_a_digit_held_up_appears_and_a_key_corrects_it(start, serve, visit, broker, subscriber):
    dashboard = serve()
    visitor = visit(dashboard)
    visitor.see("#no-devices")
    process = start([7, 3, 7, 3, 7, 3], hold_s=1.5, port=broker.port)
    visitor.see("#device-name", "bench")
    wait_until(lambda: len(subscriber.events) >= 2)
    visitor.see(".history .item-digit", str(subscriber.events[1].digit))
    visitor.see("#device .state", "online")
    assert visitor.page.locator("#device .bar.loudest .digit").inner_text() in "73"
    # The oldest in the list, a seven, is truly a one.
    visitor.page.locator(".history button").last.focus()
    visitor.page.keyboard.press("1")
    visitor.see("#device .note", "It is in the library with this label.")
    with Library(dashboard.library) as library:
        labelled = [digit for digit in library.take_all() if digit.label is not None]
    assert [(one.digit, one.label, one.label_source) for one in labelled] == [
        (subscriber.events[0].digit, 1, "page")
    ]
    process.send_signal(signal.SIGSTOP)  # the broker misses it, and says its last will
    visitor.see("#device .state", "offline")


def test_a_broker_with_tls_and_passwords_is_heard_and_a_wrong_password_is_told(serve, visit, tmp_path):
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    credentials = tmp_path / "credentials"
    create_credentials(credentials, ["localhost"], {"laptop": "laptop", "desk": "device"})
    recipe = Recipe(tmp_path / "recipe", credentials)
    wrong = tmp_path / "wrong"
    wrong.write_text("not this one\n")
    reached = ("--broker", f"localhost:{recipe.password_port}", "--ca", credentials / "laptop" / "ca.crt")
    let_in, turned_away = (
        visit(serve(*reached, "--username", "laptop", "--password-file", password))
        for password in (credentials / "laptop" / "password", wrong)
    )
    turned_away.see(".trouble", "check --username and the password")
    desk = recipe.connect("desk")
    desk.publish("inkling/desk/availability", b'{"state":"online"}', retain=True)
    let_in.see("#device .state", "online")
    assert let_in.page.locator(".trouble").count() == 0
    assert turned_away.page.locator(".card").count() == 0
    desk.close()
    recipe.stop()


def test_two_pages_and_a_broker_that_restarts_under_them(serve, visit, broker, subscriber):
    dashboard = serve()
    visitors = visit(dashboard), visit(dashboard)
    say_event(subscriber, "kitchen")
    for visitor in visitors:
        visitor.see("#device-name", "kitchen")
    broker.stop()
    for visitor in visitors:
        visitor.see(".trouble", "connecting anew")
    broker.start()
    for visitor in visitors:
        visitor.page.locator(".trouble").wait_for(state="detached")
    wait_until(lambda: subscriber.connections == 2)
    say_event(subscriber, "kitchen", digit=3)
    for visitor in visitors:
        visitor.see(".history .item-digit", "3")


def test_a_page_that_stays_open_follows_a_server_that_is_started_anew(serve, visit, subscriber):
    dashboard = serve()
    visitor = visit(dashboard)
    for number in range(3):
        say_event(subscriber, "desk", seq=number)
    wait_until(lambda: visitor.page.locator(".history button").count() == 3)
    assert dashboard.stop() == 0
    visitor.see(".trouble", "The server does not answer")
    serve("--port", dashboard.host.rpartition(":")[2])
    first = visitor.page.locator(".history .item-digit").first

    def is_shown():  # whatever is said before the server listens again is not heard
        say_event(subscriber, "desk", digit=3, id=str(time.monotonic()))
        return first.inner_text() == "3"

    wait_until(is_shown)
    assert visitor.page.locator(".trouble").count() == 0
    assert "7" not in visitor.page.locator(".history .item-digit").all_inner_texts()
    assert [complaint for complaint in visitor.complaints if "WebSocket connection" not in complaint] == []
    visitor.complaints.clear()


def test_who_draws_sees_the_answer_with_mouse_finger_and_keyboard(serve, visit):
    dashboard = serve()
    visitor = visit(dashboard)
    visitor.go("draw")
    page = visitor.page
    box = page.locator("#paper").bounding_box()

    def point(x, y):
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.move(*point(0.5, 0.2))
    page.mouse.down()
    page.mouse.move(*point(0.5, 0.8), steps=8)
    visitor.see("#drawing-answer .answer-digit", "1")  # while the button is still down
    page.mouse.up()
    page.focus("#paper")
    page.keyboard.press("Backspace")
    visitor.see("#drawing-answer .answer-sure", "draw a digit")
    for key in ["ArrowUp"] * 8 + ["ArrowLeft"] * 5 + [" "] + ["ArrowRight"] * 10 + ["ArrowDown"] * 16:
        page.keyboard.press(key)
    visitor.see("#drawing-answer .answer-digit", "7")
    page.keyboard.press("Backspace")
    page.keyboard.press("4")
    visitor.see("#drawing-answer .answer-digit", "4")
    visitor.go("inside")
    visitor.see("#spoke-answer .answer-digit", "4")
    wait_until(lambda: page.locator("#minds li").count() == 10)
    wait_until(lambda: page.locator("#nodes button").count() > 40)


def test_a_camera_is_looked_through_while_the_page_is_open_and_no_longer(
    start, serve, visit, broker, subscriber
):
    visitor = visit(serve())
    start(hold_s=60.0, port=broker.port)
    visitor.see("#device .state", "online")

    def count_views():
        return sum(message.topic == TOPICS.view for message in subscriber.heard)

    assert not count_views()
    visitor.page.click("text=Look through the camera")
    visitor.see("canvas.view")
    wait_until(lambda: count_views() >= 2)
    visitor.page.close()

    def has_stopped():
        before = count_views()
        subscriber.ask("view", seconds=0)  # one more, after which there is none
        wait_until(lambda: count_views() > before)
        before = count_views()
        time.sleep(1.5)
        return count_views() == before

    wait_until(has_stopped)


def test_what_is_learnt_from_the_page_is_delivered_from_it_and_taken_back(
    start, serve, visit, broker, subscriber, tmp_path, drawn_digits
):
    key = tmp_path / "delivery.key"
    public = tell_public_key(make_key(key))
    data = tmp_path / "data"
    data.mkdir()
    for name, array in (
        (TRAINING_IMAGES, drawn_digits.images),
        (TRAINING_LABELS, drawn_digits.labels),
        (TEST_IMAGES, drawn_digits.images),
        (TEST_LABELS, drawn_digits.labels),
    ):
        write_idx(data / name, array)
    state = tmp_path / "state"
    state.mkdir()
    start(
        [7] * 200,
        hold_s=1.5,
        gap_s=0.4,
        port=broker.port,
        device=f"state = '{state}'\n",
        more=f"[network]\nkeys = ['{public}']\ntrial_s = 1.0\n",
    )

    def running():
        return [info.weights["sha256"][:12] for info in subscriber.payloads(InfoMessage, TOPICS.info)][-1:]

    dashboard = serve("--signing-key", key, "--data-dir", data)
    visitor = visit(dashboard)
    visitor.see("#device .state", "online")
    wait_until(lambda: dashboard.ask_json("/digits")["count"] >= 2)
    for digit in dashboard.ask_json("/digits")["digits"]:
        dashboard.ask_json("/label", {"number": digit["number"], "label": digit["digit"]})
    visitor.go("learn")
    visitor.page.fill("#retrain [name=epochs]", "2")
    visitor.page.fill("#retrain [name=no_digits]", "100")
    visitor.page.check("#retrain [name=force]")
    visitor.page.click("#retrain-go")
    visitor.see("#retrain-doing", "%")
    visitor.see("#retrain-report", "is written, and can be delivered")
    visitor.see("#retrain-report th", "test images")
    (weights,) = tmp_path.glob("retrained-*.npz")
    assert load_weights(weights).card.training["lineage"] == [load_weights().sha256]
    visitor.page.check("#deliver-to input[value=bench]")
    wait_until(lambda: visitor.page.input_value("#deliver [name=weights]") == weights.name)
    visitor.page.click("#deliver button[value=run]")
    visitor.see("#deliver-answers li[data-state=done]", "bench")
    wait_until(lambda: running() == [load_weights(weights).name])
    wait_until(lambda: subscriber.events[-1].model == load_weights(weights).name)
    visitor.page.click("#deliver button[value=back]")
    wait_until(lambda: running() == [load_weights().name])
    visitor.see("#deliver-answers li[data-state=done]", load_weights().name[:8])


def test_hostile_messages_are_harmless_text_or_a_stated_error(serve, visit, subscriber):
    visitor = visit(serve())
    markup = "<img src=x onerror=document.body.remove()><script>document.body.remove()</script>"
    health = {"uptime_s": 1e300, "frames_per_s": 1, "frame_ms": 1, "memory_mb": 1, "queued": 0, "dropped": 0}
    health |= {"camera": markup, "leds": "ok", "problems": [markup, "\u202e\x1b[2J" + "z" * 100_000]}
    for topic, payload in [
        ("inkling/evil/availability", b'{"state":"online"}'),
        ("inkling/evil/health", json.dumps(health)),
        (
            "inkling/evil/info",
            json.dumps({"software": markup, "weights": {"sha256": markup}, "configuration": {}}),
        ),
        ("inkling/evil/prediction", json.dumps({"digit": 7, "outputs": [1e300, -1e300] + [0.5] * 8})),
        ("inkling/evil/event", b'{"digit": "seven"}'),
        ("inkling/evil/event", b"\xff\xfe" * 500),
        ("inkling/evil/event", b"[" * 100_000),
        ("inkling/<b>evil</b>/event", b"{}"),
    ]:
        subscriber.publish(topic, payload)
    say_event(subscriber, "evil", image="no picture", id="x" * 900_000, model=markup)
    visitor.see("#device .problems li", "<img src=x onerror=")
    visitor.see(".trouble.mild", "made no sense")
    visitor.see(".history .item-digit", "7")
    assert visitor.page.locator("main img, main script, #device b").count() == 0
    visitor.page.locator(".history button").first.focus()
    visitor.page.keyboard.press("3")
    visitor.see("#device .note", "cannot be kept")
    assert [complaint for complaint in visitor.complaints if "status of 400" not in complaint] == []
    visitor.complaints.clear()


def test_who_listens_to_the_page_is_told_the_latest_and_not_everything(serve, visit, subscriber):
    visitor = visit(serve())
    visitor.wait_for_broker()
    say_event(subscriber, "desk", digit=1, seq=0)
    visitor.see("#device-name", "desk")
    visitor.page.evaluate(
        """() => { window.told = []; const said = document.getElementById("said");
        new MutationObserver(() => window.told.push(said.textContent)).observe(said, { childList: true });
        }"""
    )
    for number in range(20):
        say_event(subscriber, "desk", digit=number % 10, seq=number + 1)
        visitor.page.wait_for_timeout(60)  # so that the page is told of each
    wait_until(lambda: "reads 9" in (visitor.page.evaluate("window.told.at(-1)") or ""))
    assert len(visitor.page.evaluate("window.told")) < 10


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_view_has_a_serious_fault_for_those_who_see_or_move_otherwise(serve, visit, subscriber, colours):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    dashboard = serve()
    visitor = visit(dashboard, color_scheme=colours)
    subscriber.publish("inkling/desk/availability", b'{"state":"online"}')
    say_event(subscriber, "desk")
    visitor.see("#device-name", "desk")
    wait_until(lambda: dashboard.ask_json("/digits")["count"])
    faults = []
    for view in VIEWS:
        visitor.go(view)
        visitor.page.wait_for_function("document.fonts.status === 'loaded'")
        if view == "inside":
            visitor.see("#node h3")
        if view == "library":
            visitor.see(".tile")
        faults += [
            (view, fault["id"], [node["html"][:160] for node in fault["nodes"]])
            for fault in axe.run(visitor.page).response["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
    assert faults == []


def test_a_phone_is_wide_enough_for_every_view(serve, visit, subscriber):
    visitor = visit(serve(), viewport={"width": 360, "height": 740}, has_touch=True)
    say_event(subscriber, "a-device-with-a-name-of-32-chars")
    visitor.see("#device-name", "a-device")
    for view in VIEWS:
        visitor.go(view)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_the_page_loads_names_nothing_elsewhere():
    folder = Path(__file__).parents[2] / "trainer" / "dashboard" / "page"
    names = {
        address
        for path in folder.iterdir()
        for address in re.findall(r"https?://[^\s\"'`]+", path.read_text(encoding="utf-8"))
    }
    assert names == {"http://www.w3.org/2000/svg"}


def test_retraining_is_stopped_from_the_page_and_says_what_is_missing(serve, visit, subscriber, tmp_path):
    dashboard = serve("--data-dir", tmp_path / "nothing")
    visitor = visit(dashboard)
    say_event(subscriber, "desk")
    wait_until(lambda: dashboard.ask_json("/digits")["count"])
    visitor.go("learn")
    visitor.page.click("#retrain-go")
    visitor.see("#retrain-report .bad", "no digits with a label to learn from")
    (digit,) = dashboard.ask_json("/digits")["digits"]
    dashboard.ask_json("/label", {"number": digit["number"], "label": 7})
    visitor.page.click("#retrain-go")
    visitor.page.click("#retrain-stop")
    visitor.see("#retrain-report .bad", "stopped; nothing was written")
    assert not list(tmp_path.glob("*.npz"))
