from hypothesis import given
from hypothesis import strategies as st

from edge.outbox import MOST_PASSING, Kind, Message, Outbox


def state(topic, payload=b""):
    return Message(topic, payload, Kind.STATE, retain=True)


def event(payload):
    return Message("event", payload, Kind.EVENT)


def passing(payload):
    return Message("view", payload, Kind.PASSING)


def take_all(outbox):
    return list(iter(outbox.take, None))


def test_messages_leave_in_the_order_in_which_they_came():
    outbox = Outbox(10)
    outbox.put(event(b"1"))
    outbox.put(state("prediction"))
    outbox.put(event(b"2"))
    assert [message.topic for message in take_all(outbox)] == ["event", "prediction", "event"]


def test_of_a_state_only_the_latest_leaves_behind_the_event_that_it_follows():
    outbox = Outbox(10)
    for number in (b"1", b"2"):
        outbox.put(event(number))
        outbox.put(state("prediction", number))
    assert [message.payload for message in take_all(outbox)] == [b"1", b"2", b"2"]


def test_the_oldest_events_are_dropped_first_and_counted():
    outbox = Outbox(3)
    outbox.put(state("info", b"info"))
    for number in range(5):
        outbox.put(event(b"%d" % number))
    assert outbox.dropped == 2
    assert outbox.events == 3
    assert [message.payload for message in take_all(outbox)] == [b"info", b"2", b"3", b"4"]
    assert outbox.events == 0


def test_messages_can_go_before_all_else_in_their_own_order():
    outbox = Outbox(3)
    outbox.put(event(b""))
    outbox.put(state("prediction", b"old"))
    outbox.put_first([state("prediction", b"new"), state("online")])
    assert [message.topic for message in take_all(outbox)] == ["prediction", "online", "event"]


def test_a_state_that_waits_is_later_than_one_that_is_put_before_all_else():
    outbox = Outbox(3)
    outbox.put(event(b""))
    outbox.put(state("availability", b"offline"))
    outbox.put_first([state("info"), state("availability", b"online")])
    assert [message.payload for message in take_all(outbox)] == [b"", b"offline", b""]


def test_events_that_come_back_are_the_oldest():
    outbox = Outbox(3)
    for payload in (b"3", b"4"):
        outbox.put(event(payload))
    outbox.put_first([event(b"1"), event(b"2")])
    assert outbox.dropped == 1
    assert [message.payload for message in take_all(outbox)] == [b"2", b"3", b"4"]


def test_what_is_said_in_passing_is_bounded_and_forgotten_with_the_connection():
    outbox = Outbox(3)
    outbox.put(event(b"event"))
    for number in range(MOST_PASSING + 5):
        outbox.put(passing(b"%d" % number))
    assert len(outbox) == 1 + MOST_PASSING
    assert outbox.dropped == 0
    outbox.forget_passing()
    assert [message.payload for message in take_all(outbox)] == [b"event"]


ACTIONS = ["event", "state a", "state b", "first a", "take", "return"]


@given(
    most=st.integers(1, 4),
    actions=st.lists(st.sampled_from(ACTIONS), max_size=60),
)
def test_nothing_is_lost_but_what_is_counted_or_replaced(most, actions):
    outbox = Outbox(most)
    put, taken = [], []
    for number, action in enumerate(actions):
        payload = b"%d" % number
        if action == "event":
            put.append(payload)
            outbox.put(event(payload))
        elif action == "take":
            message = outbox.take()
            if message is not None and message.topic == "event":
                taken.append(message.payload)
        elif action == "first a":
            outbox.put_first([state("a", payload)])
        elif action == "return":
            outbox.put_first([event(taken.pop())] if taken else [])
        else:
            outbox.put(state(action[-1], payload))
        assert outbox.events <= most
    rest = take_all(outbox)
    taken += [message.payload for message in rest if message.topic == "event"]
    assert len(taken) + outbox.dropped == len(put)
    assert taken == [payload for payload in put if payload in taken]
    topics = [message.topic for message in rest if message.topic != "event"]
    assert len(topics) == len(set(topics))
    assert len(outbox) == 0
