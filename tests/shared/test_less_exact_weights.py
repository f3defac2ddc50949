import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import (
    ForeignWeightsError,
    NotFiniteWeightsError,
    OversizedWeightsError,
    WeightsError,
    WrongShapeWeightsError,
)
from shared.precision import PRECISIONS
from shared.weights import LARGEST_FILE, export_weights, load_weights, parse_weights
from tests.shared.weights_files import repack


@pytest.mark.parametrize(("precision", "smaller"), [("float16", 0.6), ("int8", 0.35)])
def test_less_exact_weights_take_less_room_and_answer_alike(files, network, precision, smaller):
    trained = load_weights(files[precision])
    assert trained.precision == precision
    assert trained.sha256 != load_weights(files["float32"]).sha256
    assert files[precision].stat().st_size < smaller * files["float32"].stat().st_size
    inputs = np.random.default_rng(0).uniform(0.01, 1, (50, 784)).astype(np.float32)
    np.testing.assert_allclose(trained.network.query(inputs), network.query(inputs), atol=0.01)
    for loaded, exported in zip(trained.network.biases, network.biases, strict=True):
        np.testing.assert_array_equal(loaded, exported)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_was_loaded_is_float32_that_can_be_changed(files, precision):
    network = load_weights(files[precision]).network
    for array in network.weights + network.biases:
        assert array.dtype == np.float32
        array += 1


def test_numpy_itself_can_open_less_exact_files(files):
    with np.load(files["int8"], allow_pickle=False) as arrays:
        assert arrays["weights_0"].dtype == np.int8
        assert arrays["scales_0"].shape == (12,)
    with np.load(files["float16"], allow_pickle=False) as arrays:
        assert arrays["weights_0"].dtype == np.float16


def test_weights_beyond_float16_are_not_exported_as_such(tmp_path, network, card):
    network.weights[0][0, 0] = 70000
    with pytest.raises(NotFiniteWeightsError, match=r"weights_0 holds .* as float16 nothing was exported"):
        export_weights(tmp_path / "w.npz", network, card, "float16")
    export_weights(tmp_path / "w.npz", network, card, "int8")
    assert load_weights(tmp_path / "w.npz").network.weights[0][0, 0] == pytest.approx(70000)


@pytest.mark.parametrize(
    ("precision", "arrays", "error", "said"),
    [
        ("int8", {"scales_0": None}, WrongShapeWeightsError, "its arrays are"),
        ("int8", {"scales_1": np.ones(12, np.float32)}, WrongShapeWeightsError, "its arrays are"),
        ("int8", {"scales_0": np.ones((12, 784), np.float32)}, WrongShapeWeightsError, "its arrays are"),
        ("int8", {"scales_2": np.ones(10, np.float32)}, WrongShapeWeightsError, "its arrays are"),
        ("int8", {"scales_0": np.ones(12, np.float16)}, ForeignWeightsError, "not a plain <f4 array"),
        ("int8", {"scales_0": np.ones(12, np.int8)}, ForeignWeightsError, "not a plain <f4 array"),
        ("int8", {"scales_0": np.full(12, np.nan, np.float32)}, NotFiniteWeightsError, "weights_0"),
        ("int8", {"scales_0": np.full(12, np.inf, np.float32)}, NotFiniteWeightsError, "weights_0"),
        ("int8", {"scales_1": np.full(10, 3e38, np.float32)}, NotFiniteWeightsError, "weights_1"),
        ("int8", {"weights_0": np.ones((12, 784), np.float32)}, ForeignWeightsError, "not all kept alike"),
        ("int8", {"weights_0": np.ones((12, 784), np.uint8)}, ForeignWeightsError, "not a plain"),
        ("int8", {"biases_0": np.ones(12, np.int8)}, ForeignWeightsError, "not a plain <f4 array"),
        ("float16", {"weights_1": np.ones((10, 12), np.int8)}, ForeignWeightsError, "not all kept alike"),
        ("float16", {"weights_1": np.full((10, 12), np.inf, np.float16)}, NotFiniteWeightsError, "weights_1"),
        ("float16", {"scales_0": np.ones(12, np.float32)}, WrongShapeWeightsError, "its arrays are"),
        ("float32", {"scales_0": np.ones(12, np.float32)}, WrongShapeWeightsError, "its arrays are"),
        ("float32", {"weights_0": None, "weights_1": None}, ForeignWeightsError, "no matrices in it"),
    ],
)
def test_less_exact_arrays_that_do_not_fit_are_refused(files, precision, arrays, error, said):
    with pytest.raises(error, match=said):
        parse_weights(repack(files[precision], **arrays))


def test_whole_numbers_that_would_need_too_much_memory_as_float32_are_refused(files):
    nodes = LARGEST_FILE // 784 // 2
    arrays = {"weights_0": np.zeros((nodes, 784), np.int8), "scales_0": np.ones(nodes, np.float32)}
    with pytest.raises(OversizedWeightsError, match="more than 32 MiB as float32"):
        parse_weights(repack(files["int8"], **arrays))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_arrays_of_any_type_and_shape_load_as_the_card_says_or_are_refused(files, data):
    file = files[data.draw(st.sampled_from(PRECISIONS))]
    name = data.draw(
        st.sampled_from(["weights_0", "weights_1", "scales_0", "scales_1", "biases_1", "biases_9"])
    )
    kind = data.draw(st.sampled_from([np.float32, np.float16, np.int8, np.uint8, np.float64]))
    shape = data.draw(st.sampled_from([(12, 784), (10, 12), (12,), (10,), (1, 12), (0,)]))
    try:
        trained = parse_weights(repack(file, **{name: np.ones(shape, kind)}))
    except WeightsError:
        return
    assert trained.network.layers == trained.card.layers == (784, 12, 10)


@pytest.mark.parametrize(("precision", "lost"), [("float16", 0.0), ("int8", 0.0002)])
def test_the_weights_that_ship_read_mnist_as_well_when_kept_less_exactly(tmp_path, mnist, precision, lost):
    from trainer.datasets import load_mnist
    from trainer.evaluation import measure_accuracy

    shipped = load_weights()
    export_weights(tmp_path / "w.npz", shipped.network, shipped.card, precision)
    tests = load_mnist(mnist, test=True)
    before, after = (
        measure_accuracy(network, tests)
        for network in (shipped.network, load_weights(tmp_path / "w.npz").network)
    )
    assert after >= before - lost - 1e-9
