import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from shared.digit_finder import NoDigit, find_digit
from shared.errors import BadPictureError, DataError, MissingDataError
from shared.idx import TEST_IMAGES, TEST_LABELS, TRAINING_IMAGES, TRAINING_LABELS
from tests.idx_files import write_idx
from tests.shared.drawing import FIVE, TWO, draw, photograph
from trainer.datasets import NO_DIGIT, Dataset, load_dataset, load_mnist, save_dataset
from trainer.mnist import CHECKSUMS

TWO_FIVES = draw(FIVE, size=80, at=(55, 70)) + draw(FIVE, size=80, at=(145, 75))
FAR_OUT_OF_FOCUS = gaussian_filter(draw(TWO, size=60, pen=12), 9)


def write_csv(path, dataset):
    rows = np.column_stack([dataset.labels, dataset.images.reshape(len(dataset), -1)])
    np.savetxt(path, rows, fmt="%d", delimiter=",")
    return path


def test_mnist_has_its_sizes(mnist):
    training, tests = load_mnist(mnist, test=False), load_mnist(mnist, test=True)
    assert training.images.shape == (60000, 28, 28)
    assert tests.images.shape == (10000, 28, 28)
    assert training.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert set(CHECKSUMS) == {path.name for path in mnist.iterdir()} & set(CHECKSUMS)


def test_the_talks_csv_gives_the_same_as_what_it_was_made_from(tmp_path, drawn_digits):
    shares = []
    dataset = load_dataset(write_csv(tmp_path / "digits.csv", drawn_digits), progress=shares.append)
    np.testing.assert_array_equal(dataset.images, drawn_digits.images)
    np.testing.assert_array_equal(dataset.labels, drawn_digits.labels)
    assert dataset.describe()["sha256"] == drawn_digits.describe()["sha256"]
    assert shares[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("7" + ",0" * 783, "784 values where 785 belong"),
        ("7" + ",0" * 785, "786 values where 785 belong"),
        ("10" + ",0" * 784, "the label must be 0 to 9, not '10'"),
        ("7" + ",0" * 783 + ",256", "pixel 784 must be 0 to 255, not '256'"),
        ("7,-1" + ",0" * 783, "pixel 1 must be 0 to 255, not '-1'"),
        ("7" + ",0.5" * 784, r"pixel 1 must be 0 to 255, not '0\.5'"),
        ("label" + ",pixel" * 784, "the label must be 0 to 9, not 'label'"),
        ("7" + ",0" * 783 + ",99999999999", "pixel 784 must be 0 to 255"),
        ("7" + ",0" * 783 + "," + "9" * 5000, "pixel 784 must be 0 to 255"),
        ("nonsense", "1 values where 785 belong"),
        ("\0\1", "1 values where 785 belong"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path, drawn_digits, line, said):
    path = write_csv(tmp_path / "digits.csv", drawn_digits)
    lines = path.read_text().splitlines()
    lines[16] = line
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=rf"digits\.csv, line 17: {said}"):
        load_dataset(path)


def test_blank_lines_do_no_harm(tmp_path):
    row = ",1" * 784
    (tmp_path / "digits.csv").write_text(f"\n3{row}\n\n   \n4{row}\r\n\n", encoding="utf-8-sig", newline="")
    assert load_dataset(tmp_path / "digits.csv").labels.tolist() == [3, 4]


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_csv_is_refused(tmp_path, content):
    (tmp_path / "digits.csv").write_text(content)
    with pytest.raises(DataError, match="an empty file"):
        load_dataset(tmp_path / "digits.csv")


@pytest.fixture
def pictures(drawn_digits):
    return [
        (int(label), Image.fromarray(255 - image))
        for label, image in zip(drawn_digits.labels[:20], drawn_digits.images[:20], strict=True)
    ]


def test_pictures_named_like_the_books_are_read(tmp_path, pictures):
    for index, (label, picture) in enumerate(pictures):
        picture.save(tmp_path / f"2828_my_own_{index:02}_{label}.png")
    (tmp_path / "notes.txt").write_text("not an image")
    dataset = load_dataset(tmp_path)
    assert dataset.labels.tolist() == [label for label, _ in pictures]
    np.testing.assert_array_equal(dataset.images, [255 - np.asarray(picture) for _, picture in pictures])


def test_pictures_sorted_into_folders_are_read(tmp_path, pictures):
    for index, (label, picture) in enumerate(pictures):
        (tmp_path / str(label)).mkdir(exist_ok=True)
        picture.save(tmp_path / str(label) / f"{index}.png")
    dataset = load_dataset(tmp_path)
    assert sorted(dataset.labels.tolist()) == sorted(label for label, _ in pictures)


def test_white_ink_on_black_is_left_as_it_is(tmp_path, pictures):
    label, picture = pictures[3]
    Image.eval(picture, lambda grey: 255 - grey).save(tmp_path / f"a_{label}.png")
    np.testing.assert_array_equal(load_dataset(tmp_path).images[0], 255 - np.asarray(picture))


def test_a_photograph_goes_through_the_same_eyes_as_the_pis(tmp_path, pictures):
    label, picture = pictures[3]
    frame = Image.new("L", (320, 240), 190)
    frame.paste(picture.resize((150, 150)).point(lambda grey: grey * 190 / 255), (80, 40))
    frame.save(tmp_path / f"photo_{label}.png")
    seen = load_dataset(tmp_path).images[0].astype(int)
    drawn = 255 - np.asarray(picture).astype(int)
    assert np.corrcoef(seen.ravel(), drawn.ravel())[0, 1] > 0.7


def test_a_picture_without_a_digit_is_named(tmp_path):
    Image.new("L", (320, 240), 190).save(tmp_path / "blank_3.png")
    with pytest.raises(DataError, match=r"blank_3\.png: no digit found"):
        load_dataset(tmp_path)
    with pytest.raises(DataError, match=r"blank_3\.png: one picture is no data set"):
        load_dataset(tmp_path / "blank_3.png")


@pytest.mark.parametrize(
    ("frame", "reason", "said"),
    [
        (np.full((240, 320), 200, np.uint8), NoDigit.NOTHING, "no digit found in it: crop it closer"),
        (photograph(TWO_FIVES), NoDigit.NOT_ONE, "more than one digit found in it: crop it to one"),
        (np.full((240, 320), 10, np.uint8), NoDigit.TOO_DARK, "too dark: take it again in more light"),
        (np.full((240, 320), 255, np.uint8), NoDigit.BLOWN_OUT, "blown out: take it again in less light"),
        (photograph(FAR_OUT_OF_FOCUS, noise=1), NoDigit.BLURRED, "blurred: take it again, in focus"),
    ],
)
def test_why_a_picture_has_no_digit_is_said_with_what_to_do(tmp_path, frame, reason, said):
    assert find_digit(frame) is reason
    Image.fromarray(frame).save(tmp_path / "photo_3.png")
    with pytest.raises(DataError, match=rf"photo_3\.png: {said}, or leave it out$"):
        load_dataset(tmp_path)


def test_a_damaged_picture_is_named(tmp_path):
    (tmp_path / "broken_3.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(BadPictureError, match=r"broken_3\.png: not an image"):
        load_dataset(tmp_path)


def test_an_empty_folder_says_what_belongs_there(tmp_path):
    with pytest.raises(DataError, match=r"no pictures named like the book's .* 'inkling-trainer fetch'"):
        load_dataset(tmp_path)


def test_a_missing_path_is_said(tmp_path):
    with pytest.raises(MissingDataError, match="no data set at"):
        load_dataset(tmp_path / "none")


def test_idx_files_that_do_not_fit_each_other_are_refused(tmp_path, drawn_digits):
    for images, labels in ((TRAINING_IMAGES, TRAINING_LABELS), (TEST_IMAGES, TEST_LABELS)):
        write_idx(tmp_path / images, drawn_digits.images)
        write_idx(tmp_path / labels, drawn_digits.labels[:-1])
    with pytest.raises(DataError, match="do not fit labels of shape"):
        load_mnist(tmp_path, test=False)


def test_a_split_parts_by_chance_and_loses_nothing(drawn_digits):
    learnt, held_out = drawn_digits.split(100, seed=3)
    assert (len(learnt), len(held_out)) == (500, 100)
    assert len(set(held_out.labels.tolist())) == 10
    together = np.concatenate([learnt.images, held_out.images]).reshape(600, -1)
    assert sorted(map(bytes, together)) == sorted(map(bytes, drawn_digits.images.reshape(600, -1)))
    np.testing.assert_array_equal(held_out.images, drawn_digits.split(100, seed=3)[1].images)


def test_a_saved_data_set_is_loaded_again(tmp_path, drawn_digits):
    no_digits = Dataset("none", drawn_digits.images[:5], np.full(5, NO_DIGIT, np.uint8))
    both = drawn_digits.join(no_digits)
    save_dataset(both, tmp_path / "both.npz")
    loaded = load_dataset(tmp_path / "both.npz")
    np.testing.assert_array_equal(loaded.images, both.images)
    assert loaded.labels.tolist() == drawn_digits.labels.tolist() + [NO_DIGIT] * 5


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"images": np.zeros((2, 28, 28), np.uint8)},
        {"images": np.zeros((2, 28, 28), np.uint8), "labels": np.zeros(3, np.uint8)},
        {"images": np.zeros((2, 28, 28), np.uint8), "labels": np.uint8(3)},
        {"images": np.zeros((2, 28, 28), np.float32), "labels": np.zeros(2, np.uint8)},
        {"images": np.zeros((2, 28, 28), np.uint8), "labels": np.full(2, NO_DIGIT + 1, np.uint8)},
        {"images": np.zeros((2, 28, 28), np.uint8), "labels": np.array([{}, {}])},
    ],
)
def test_an_npz_file_that_is_no_data_set_is_refused(tmp_path, arrays):
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(DataError, match=r"other\.npz: not "):
        load_dataset(tmp_path / "other.npz")


def test_a_damaged_npz_file_is_refused(tmp_path, drawn_digits):
    save_dataset(drawn_digits, tmp_path / "cut.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:9000])
    with pytest.raises(DataError, match="not a data set"):
        load_dataset(tmp_path / "cut.npz")
