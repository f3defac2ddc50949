from hypothesis import given
from hypothesis import strategies as st

from edge.outbox import Message, Outbox


def state(topic, payload=b""):
    return Message(topic, payload, retain=True)


def event(payload):
    return Message("event", payload)


def take_all(outbox):
    return list(iter(outbox.take, None))


def test_messages_leave_in_the_order_in_which_they_came():
    outbox = Outbox(10)
    outbox.put_event(event(b"1"))
    outbox.put_state(state("prediction"))
    outbox.put_event(event(b"2"))
    assert [message.topic for message in take_all(outbox)] == ["event", "prediction", "event"]


def test_of_a_state_only_the_latest_leaves_behind_the_event_that_it_follows():
    outbox = Outbox(10)
    for number in (b"1", b"2"):
        outbox.put_event(event(number))
        outbox.put_state(state("prediction", number))
    assert [message.payload for message in take_all(outbox)] == [b"1", b"2", b"2"]


def test_the_oldest_events_are_dropped_first_and_counted():
    outbox = Outbox(3)
    outbox.put_state(state("info", b"info"))
    for number in range(5):
        outbox.put_event(event(b"%d" % number))
    assert outbox.dropped == 2
    assert outbox.events == 3
    assert [message.payload for message in take_all(outbox)] == [b"info", b"2", b"3", b"4"]
    assert outbox.events == 0


def test_a_state_can_go_before_all_else():
    outbox = Outbox(3)
    outbox.put_event(event(b""))
    outbox.put_state(state("prediction", b"old"))
    outbox.put_state_first(state("online"))
    outbox.put_state_first(state("prediction", b"new"))
    assert [message.topic for message in take_all(outbox)] == ["prediction", "online", "event"]


@given(
    most=st.integers(1, 4),
    actions=st.lists(st.sampled_from(["event", "state a", "state b", "first a", "take"]), max_size=60),
)
def test_nothing_is_lost_but_what_is_counted_or_replaced(most, actions):
    outbox = Outbox(most)
    put, taken = [], []
    for number, action in enumerate(actions):
        payload = b"%d" % number
        if action == "event":
            put.append(payload)
            outbox.put_event(event(payload))
        elif action == "take":
            message = outbox.take()
            if message is not None and message.topic == "event":
                taken.append(message.payload)
        elif action == "first a":
            outbox.put_state_first(state("a", payload))
        else:
            outbox.put_state(state(action[-1], payload))
        assert outbox.events <= most
    rest = take_all(outbox)
    taken += [message.payload for message in rest if message.topic == "event"]
    assert len(taken) + outbox.dropped == len(put)
    assert taken == [payload for payload in put if payload in taken]
    topics = [message.topic for message in rest if message.topic != "event"]
    assert len(topics) == len(set(topics))
    assert len(outbox) == 0
