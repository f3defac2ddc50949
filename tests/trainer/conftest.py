"""What tests of the trainer's commands need beside a broker."""

import pytest

from tests.trainer.speaker import Speaker


@pytest.fixture
def speak(broker):
    """Makes speakers, which are closed after the test."""
    speakers = []

    def make(*answers):
        speakers.append(Speaker(broker.port, answers))
        return speakers[-1]

    yield make
    for speaker in speakers:
        speaker.close()
