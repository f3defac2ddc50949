"""The page's library in a real browser: labelling, and taking back."""

from tests.conftest import wait_until
from tests.dashboard import say_event
from trainer.library import Library

# The first label's answer comes a second late.
SLOW_ANSWER = """() => {
  const fetch = window.fetch;
  let first = true;
  window.fetch = async (path, options) => {
    const slow = first && path.includes("label");
    first = first && !slow;
    const answer = await fetch(path, options);
    if (slow) await new Promise((done) => setTimeout(done, 1000));
    return answer;
  };
}"""


def fill_library(dashboard, subscriber, count):
    """Have a device read so many digits, each surer than the one before."""
    for number in range(count):
        say_event(subscriber, "desk", confidence=0.5 + 0.1 * number, seq=number)
    wait_until(lambda: dashboard.ask_json("/digits")["count"] == count)


def test_what_is_taken_back_is_what_was_said_last_however_slow_the_answers(serve, visit, subscriber):
    dashboard = serve()
    visitor = visit(dashboard)
    visitor.wait_for_broker()
    fill_library(dashboard, subscriber, 2)
    visitor.go("library")
    visitor.see(".tile")
    visitor.page.evaluate(SLOW_ANSWER)
    visitor.page.locator(".tile").first.focus()
    visitor.page.keyboard.press("1")
    visitor.page.keyboard.press("7")
    wait_until(lambda: visitor.page.locator(".tile.labelled").count() == 2)
    visitor.page.keyboard.press("u")
    visitor.see("#library-note", "2 digits, 1 with a label")
    with Library(dashboard.library) as library:
        assert [one.label for one in sorted(library.take_all(), key=lambda one: one.confidence)] == [1, None]


def test_the_library_is_labelled_by_keys_and_what_was_said_is_taken_back(serve, visit, subscriber):
    dashboard = serve()
    visitor, other = visit(dashboard), visit(dashboard)
    visitor.wait_for_broker()
    fill_library(dashboard, subscriber, 4)
    visitor.go("library")
    visitor.see(".tile")
    page = visitor.page
    page.locator(".tile").first.focus()
    for key in ("1", "n", "s", "7"):
        page.keyboard.press(key)
    visitor.see("#library-note", "4 digits, 3 with a label")
    with Library(dashboard.library) as library:
        labels = [one.label for one in sorted(library.take_all(), key=lambda one: one.confidence)]
    assert labels == [1, -1, None, 7]
    page.keyboard.press("u")
    visitor.see("#library-note", "4 digits, 2 with a label")
    # The other page shows what is so, also where it had not looked yet.
    other.go("library")
    other.see("#library-note", "4 digits, 2 with a label")
    other.page.select_option("#library-filter [name=state]", "misread")
    wait_until(lambda: other.page.locator(".tile").count() == 2)
