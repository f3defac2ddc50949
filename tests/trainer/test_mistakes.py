import numpy as np

from shared.feedforward import FeedForward
from shared.reading import tell_confidences
from trainer.datasets import NO_DIGIT, Dataset
from trainer.evaluation import evaluate, query_dataset
from trainer.mistakes import find_mistakes


def test_the_worst_come_first_and_all_are_wrong(network, drawn_digits):
    count = evaluate(network, drawn_digits)
    mistakes = find_mistakes(network, drawn_digits, 1000)
    assert len(mistakes) == count.images - count.correct > 10
    confidences = [mistake.confidence for mistake in mistakes]
    assert confidences == sorted(confidences, reverse=True)
    outputs = query_dataset(network, drawn_digits)
    for mistake in mistakes[:20]:
        assert mistake.label == drawn_digits.labels[mistake.place] != mistake.digit
        assert mistake.digit == outputs[mistake.place].argmax()
        assert mistake.confidence == tell_confidences(outputs)[mistake.place]
        np.testing.assert_array_equal(mistake.image, drawn_digits.images[mistake.place])
    assert [mistake.place for mistake in find_mistakes(network, drawn_digits, 3)] == [
        mistake.place for mistake in mistakes[:3]
    ]


def test_what_is_no_digit_is_a_mistake_whatever_is_read():
    shouting = FeedForward([np.full((10, 784), -9.0, np.float32)])
    shouting.weights[0][3] = 9.0
    images = np.full((2, 28, 28), 255, np.uint8)
    (mistake,) = find_mistakes(shouting, Dataset("", images, np.array([3, NO_DIGIT], np.uint8)), 10)
    assert (mistake.place, mistake.digit, mistake.meaning) == (1, 3, "no digit")
    assert mistake.confidence > 0.99
