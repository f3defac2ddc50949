import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from shared.errors import BadPictureError
from shared.photograph import ENOUGH_PIXELS, read_photograph


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_the_way_its_exif_data_says(tmp_path, orientation):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)
    picture = Image.fromarray(pixels)
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as saved:
        expected = np.asarray(ImageOps.exif_transpose(saved))
    np.testing.assert_array_equal(read_photograph(tmp_path / "turned.png", Image.open), expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "I;16", "I", "F", "LA", "RGBA"])
def test_every_kind_of_picture_shows_dark_ink_on_light_paper(tmp_path, mode):
    grey = np.full((40, 60), 240, np.uint8)
    grey[10:30, 20:24] = 10
    if mode in ("I;16", "I"):
        picture = Image.fromarray(grey.astype(np.uint16) * 257).convert(mode)
    elif mode == "F":
        picture = Image.fromarray(grey.astype(np.float32) / 255)
    else:
        picture = Image.fromarray(grey).convert("RGB").convert(mode)
    path = tmp_path / ("file.png" if mode not in ("CMYK", "I", "F") else "file.tif")
    picture.save(path)
    read = read_photograph(path, Image.open)
    assert read.shape == (40, 60)
    assert read[20, 22] < 40
    assert read[5, 5] > 200


def test_a_large_photograph_is_reduced_while_it_is_read(tmp_path):
    Image.new("L", (4 * ENOUGH_PIXELS, 3 * ENOUGH_PIXELS), 200).save(tmp_path / "large.png")
    assert read_photograph(tmp_path / "large.png", Image.open).shape == (
        3 * ENOUGH_PIXELS // 4,
        ENOUGH_PIXELS,
    )


PEAK = """
import resource, sys
from pathlib import Path
from PIL import Image
from shared.photograph import read_photograph
read_photograph(Path(sys.argv[1]), Image.open)
print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize(("mode", "bytes_a_pixel"), [("RGBA", 4), ("P", 1), ("I;16", 2)])
def test_a_large_picture_takes_little_more_memory_than_its_pixels(tmp_path, mode, bytes_a_pixel):
    peaks = []
    for side in (100, 4000):
        Image.new(mode, (side, side)).save(
            tmp_path / "file.png", **({"transparency": 0} if mode == "P" else {})
        )
        command = [sys.executable, "-c", PEAK, str(tmp_path / "file.png")]
        peaks.append(int(subprocess.run(command, capture_output=True, check=True, text=True).stdout))
    read = 2 if mode == "I;16" else 0  # what is read of a deep picture is not reduced, and put together
    assert peaks[1] - peaks[0] < (bytes_a_pixel + read) * 4000**2 + 40e6


@pytest.mark.parametrize("size", [(1, 1), (27, 300), (9000, 9000)])
def test_what_is_too_small_or_too_large_is_named(tmp_path, size):
    Image.new("1", size).save(tmp_path / "file.png")
    with pytest.raises(
        BadPictureError, match=rf"file\.png: {size[0]}x{size[1]} pixels, where 28x28 to 50 million"
    ):
        read_photograph(tmp_path / "file.png", Image.open)


def test_transparent_pixels_are_paper(tmp_path):
    Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_photograph(tmp_path / "clear.png", Image.open).min() == 255


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
def test_what_is_no_picture_is_said(tmp_path, content):
    (tmp_path / "file.png").write_bytes(content)
    with pytest.raises(BadPictureError, match=r"file\.png: not an image"):
        read_photograph(tmp_path / "file.png", Image.open)


def test_a_missing_photograph_is_said(tmp_path):
    with pytest.raises(BadPictureError, match="no file"):
        read_photograph(tmp_path / "none.png", Image.open)


def test_a_pipe_is_there_but_not_a_plain_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadPictureError, match="pipe is not a plain file"):
        read_photograph(tmp_path / "pipe", Image.open)
