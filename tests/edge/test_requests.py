import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.allowance import MOST_A_SECOND, MOST_AT_ONCE
from edge.errors import RefusedRequestError
from edge.requests import Requests
from shared.messages import LARGEST_REQUEST, REQUESTS
from shared.topics import Topics

TOPICS = Topics("bench")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def done():
    return []


@pytest.fixture
def requests(clock, done):
    def note(request):
        done.append(request)
        return {"seen": True}

    def refuse(request):
        raise RefusedRequestError("not today: come back tomorrow")

    acts = dict.fromkeys(REQUESTS, note) | {"weights": refuse}
    return Requests(TOPICS, acts, clock)


def ask(requests, verb, payload, *, retained=False):
    answer = requests.answer(TOPICS.request(verb), payload, retained)
    if answer is None:
        return None
    assert answer[0] == verb
    return json.loads(answer[1])


def test_a_request_is_carried_out_and_its_transaction_comes_back(requests, done):
    answer = ask(requests, "view", b'{"seconds": 5, "transaction": {"any": [1]}}')
    assert answer == {"status": "ok", "data": {"seen": True}, "transaction": {"any": [1]}}
    assert done[0].seconds == 5


def test_what_cannot_be_done_is_answered_with_what_to_do(requests):
    answer = ask(requests, "weights", b'{"transaction": 7}')
    assert answer == {"status": "error", "error": "not today: come back tomorrow", "transaction": 7}


def test_a_button_that_sends_nothing_is_understood(requests):
    assert ask(requests, "restart", b"") == {"status": "ok", "data": {"seen": True}}


@pytest.mark.parametrize(
    ("verb", "payload", "error"),
    [
        ("view", b"{", "not JSON"),
        ("view", b"[]", "must be a table of keys"),
        ("view", b"\xff\xfe", "not JSON"),
        ("view", b'{"seconds": 1e9}', "seconds must be a number between 0 and 60"),
        ("view", b'{"seconds": NaN}', "not JSON"),
        ("view", b'{"secnds": 1}', "did you mean seconds?"),
        ("view", b'{"seconds": true}', "seconds must be"),
        ("correct", b'{"id": "x"}', "label is missing"),
        ("correct", b'{"id": "x", "label": 10}', "label must be"),
        ("configure", b'{"camera": {"width": 1}}', "camera is not a known key"),
        ("configure", b'{"settling": {"confidence": 2}}', "settling.confidence must be"),
        ("view", b" " * (LARGEST_REQUEST + 1), "at most 4096 bytes"),
        ("view", b'{"transaction":' + b"[" * 4000, "not JSON"),
    ],
)
def test_a_request_that_is_wrong_is_told_why_and_not_carried_out(requests, done, verb, payload, error):
    answer = ask(requests, verb, payload)
    assert answer["status"] == "error"
    assert error in answer["error"]
    assert not done


def test_a_retained_request_is_ignored(requests, done):
    assert ask(requests, "restart", b"{}", retained=True) is None
    assert not done


def test_another_topic_is_ignored(requests):
    assert requests.answer("inkling/other/request/view", b"{}", False) is None
    assert requests.answer(TOPICS.request("reboot"), b"{}", False) is None


def test_who_asks_too_much_is_told_so_once_a_second(requests, done, clock):
    answers = [ask(requests, "view", b"{}") for _ in range(MOST_AT_ONCE + 50)]
    assert len(done) == MOST_AT_ONCE
    refused = [answer for answer in answers[MOST_AT_ONCE:] if answer is not None]
    assert len(refused) == 1
    assert "requests a second" in refused[0]["error"]
    clock.now += 2
    for _ in range(50):
        ask(requests, "view", b"{}")
    assert len(done) == MOST_AT_ONCE + 2 * MOST_A_SECOND


@given(verb=st.sampled_from(sorted(REQUESTS)), payload=st.binary(max_size=200))
def test_whatever_comes_is_answered(verb, payload):
    requests = Requests(TOPICS, {verb: lambda request: {} for verb in REQUESTS})
    assert ask(requests, verb, payload)["status"] in ("ok", "error")
