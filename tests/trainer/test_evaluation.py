import numpy as np
import pytest

from shared.feedforward import FeedForward
from shared.reading import tell_confidence
from trainer.datasets import NO_DIGIT, Dataset
from trainer.evaluation import Evaluation, evaluate, measure_accuracy, query_dataset


@pytest.fixture
def corner_reader():
    """A network that reads which of the first ten pixels is ink."""
    matrix = np.zeros((10, 784), np.float32)
    matrix[np.arange(10), np.arange(10)] = 10
    return FeedForward([matrix])


def make_dataset(shown, labels):
    images = np.zeros((len(shown), 784), np.uint8)
    images[np.arange(len(shown)), shown] = 255
    return Dataset("corners", images.reshape(-1, 28, 28), np.array(labels, np.uint8))


def test_the_confusion_matrix_counts_labels_by_row_and_readings_by_column(corner_reader):
    evaluation = evaluate(corner_reader, make_dataset([1, 1, 2, 7], [1, 1, 2, 2]))
    assert evaluation.confusion[1, 1] == 2
    assert evaluation.confusion[2, 2] == 1
    assert evaluation.confusion[2, 7] == 1
    assert evaluation.images == 4
    assert evaluation.correct == 3
    assert evaluation.accuracy == 0.75


def test_recall_and_precision_of_what_never_came_are_nan(corner_reader):
    evaluation = evaluate(corner_reader, make_dataset([1, 7], [1, 2]))
    assert evaluation.recall[1] == 1
    assert evaluation.recall[2] == 0
    assert evaluation.precision[7] == 0
    assert np.isnan(evaluation.recall[7])
    assert np.isnan(evaluation.precision[2])


def test_figures_agree_with_counting_one_by_one(drawn_digits, network):
    evaluation = evaluate(network, drawn_digits)
    outputs = query_dataset(network, drawn_digits)
    right = sum(
        int(
            np.argmax(
                network.query(image.reshape(784) / np.float32(255) * np.float32(0.99) + np.float32(0.01))
            )
        )
        == label
        for image, label in zip(drawn_digits.images, drawn_digits.labels, strict=True)
    )
    assert evaluation.correct == right
    assert outputs.shape == (600, 10)
    assert (
        measure_accuracy(network, drawn_digits)
        == evaluation.accuracy
        == Evaluation(evaluation.confusion).accuracy
    )


def test_what_is_no_digit_counts_for_itself(corner_reader):
    dataset = make_dataset([1, 2, 3, 7], [1, 2, NO_DIGIT, NO_DIGIT])
    evaluation = evaluate(corner_reader, dataset)
    assert evaluation.images == 2
    assert evaluation.accuracy == 1
    assert evaluation.no_digits == 2
    confidence = tell_confidence(query_dataset(corner_reader, dataset)[0])
    for needed, said in ((confidence - 0.001, 1.0), (confidence + 0.001, 0.0)):
        evaluation = evaluate(corner_reader, dataset, needed)
        assert evaluation.right_said == evaluation.no_digits_said == said
    assert np.isnan(evaluate(corner_reader, make_dataset([1], [NO_DIGIT])).accuracy)


def test_figures_are_those_of_scikit_learn(network, drawn_digits):
    metrics = pytest.importorskip("sklearn.metrics")
    evaluation = evaluate(network, drawn_digits)
    read = query_dataset(network, drawn_digits).argmax(axis=1)
    labels = drawn_digits.labels
    np.testing.assert_array_equal(
        evaluation.confusion, metrics.confusion_matrix(labels, read, labels=np.arange(10))
    )
    assert evaluation.accuracy == pytest.approx(metrics.accuracy_score(labels, read))
    precision, recall, _, _ = metrics.precision_recall_fscore_support(
        labels, read, labels=np.arange(10), zero_division=np.nan
    )
    np.testing.assert_allclose(evaluation.recall, recall)
    np.testing.assert_allclose(evaluation.precision, precision)
