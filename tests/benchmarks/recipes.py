"""Common recipes from a frame to the 28x28 image of its digit, as users of OpenCV and scikit-image write
them.

Each takes a grey frame, uint8 (H, W), with dark ink on lighter paper, and gives a float32 (28, 28) image,
0.0 = paper, 1.0 = ink, or None where it finds nothing. The first ones are what tutorials do; the last
ones, which judge many pieces by the ring of paper around them, are as good as could be made in as many
lines.

Sources: Otsu, "A threshold selection method from gray-level histograms", 1979; Sauvola and Pietikainen,
"Adaptive document image binarization", 2000; Matas and others, "Robust wide-baseline stereo from
maximally stable extremal regions", 2002.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage.filters import threshold_sauvola
from skimage.measure import label, regionprops

from shared.feedforward import FloatArray

Bytes = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, width, height
Piece = tuple[Bytes, Box]  # 255 where it is, in its box
Recipe = Callable[[Bytes], FloatArray | None]


def fit(ink: Bytes) -> FloatArray | None:
    """Fit ink into a 20x20 box and put its centre of mass in the middle of 28x28, as MNIST was made."""
    if not ink.any():
        return None
    left, top, width, height = cv2.boundingRect(ink)
    scale = 20 / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(ink[top : top + height, left : left + width], size, interpolation=cv2.INTER_AREA)
    mass = cv2.moments(small)
    right, down = (round(14 - mass[axis] / mass["m00"]) for axis in ("m10", "m01"))
    shift = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(small, shift, (28, 28)).astype(np.float32) / 255


def smooth(frame: Bytes, blur: int) -> Bytes:
    return cv2.GaussianBlur(frame, (blur, blur), 0) if blur else frame


# What tutorials do: threshold, take the largest.


def read_otsu(frame: Bytes, blur: int, largest: bool) -> FloatArray | None:
    """Otsu's threshold; then all ink, or its largest piece."""
    _, mask = cv2.threshold(smooth(frame, blur), 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    return fit(keep_largest(mask) if largest else mask)


def keep_largest(mask: Bytes) -> Bytes:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    return np.uint8(255) * (labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())


def read_adaptive(frame: Bytes, block: int, offset: int, inside: bool) -> FloatArray | None:
    """An adaptive threshold; then the contour with the largest box, perhaps of those off the frame's edge."""
    mask = threshold_adaptively(smooth(frame, 5), block, offset)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [(box[2] * box[3], number, box) for number, box in enumerate(map(cv2.boundingRect, contours))]
    boxes = [each for each in boxes if not inside or not touches_edge(each[2], frame)]
    if not boxes:
        return None
    _, number, _ = max(boxes)
    filled = cv2.drawContours(np.zeros_like(mask), contours, number, 255, cv2.FILLED)
    return fit(cv2.bitwise_and(filled, mask))


def threshold_adaptively(frame: Bytes, block: int, offset: int) -> Bytes:
    method, kind = cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY_INV
    return cv2.adaptiveThreshold(frame, 255, method, kind, block, offset)


def touches_edge(box: Box, frame: Bytes) -> bool:
    left, top, width, height = box
    return left == 0 or top == 0 or left + width == frame.shape[1] or top + height == frame.shape[0]


def read_sauvola(frame: Bytes, window: int, k: float) -> FloatArray | None:
    """Sauvola's threshold; then the largest region that is off the frame's edge."""
    labels = label(frame < threshold_sauvola(frame, window_size=window, k=k))
    regions = [each for each in regionprops(labels) if each.area >= 20]
    regions = [each for each in regions if not touches_edge(box_of(each), frame)]
    if not regions:
        return None
    return fit(np.uint8(255) * max(regions, key=lambda each: each.area_bbox).image)


def box_of(region: Any) -> Box:
    top, left, bottom, right = region.bbox
    return left, top, right - left, bottom - top


# What takes more thought: many candidates, each judged by the paper around it.


def judge(frame: Bytes, piece: Bytes, box: Box) -> float:
    """How much a piece, 255 where it is, looks like ink with clean and even paper around."""
    left, top, width, height = box
    size, side = max(width, height), min(frame.shape)
    if size < 0.1 * side or height < 0.4 * width or height > 0.95 * frame.shape[0] or len(piece) < 8:
        return 0.0
    if measure_width(piece) > 0.33 * size:
        return 0.0
    margin = max(4, size // 4)
    up, before = min(margin, top), min(margin, left)
    near = frame[top - up : top + height + margin, left - before : left + width + margin]
    mask = np.zeros_like(near)
    mask[up : up + height, before : before + width] = piece
    around = near[cv2.dilate(mask, np.ones((5, 5), np.uint8)) == 0]
    if len(around) < 20:
        return 0.0
    dark, paper, bright = np.percentile(around, (10, 50, 90)).tolist()
    ink = float(np.median(near[mask > 0]))
    contrast = (paper - ink) / max(paper, 8)
    if contrast < 0.06:
        return 0.0
    clutter = float(np.mean(around < paper - 0.4 * (paper - ink)))
    uneven = max(0.0, (bright - dark) / 2 / max(paper, 8) - 0.1)
    across, down = (left + width / 2) / frame.shape[1] - 0.5, (top + height / 2) / frame.shape[0] - 0.5
    large = min(1.0, size / (0.3 * side))
    on_edge = 0.5 if touches_edge(box, frame) else 1.0
    return on_edge * (contrast * large) ** 0.5 * math.exp(-6 * clutter - 3 * uneven - across**2 - down**2)


def measure_width(piece: Bytes) -> float:
    """The width of strokes in pixels: twice their area by their outline."""
    contours, _ = cv2.findContours(piece, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return 2 * cv2.countNonZero(piece) / max(1.0, sum(cv2.arcLength(contour, True) for contour in contours))


def take_pieces(masks: Iterable[Bytes], most: int = 10) -> Iterator[Piece]:
    """The largest connected pieces of each mask, by the area of their boxes; small gaps are closed."""
    for mask in masks:
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
        areas = stats[:, cv2.CC_STAT_WIDTH] * stats[:, cv2.CC_STAT_HEIGHT]
        for number in sorted(range(1, count), key=lambda number: -areas[number])[:most]:
            left, top, width, height = stats[number, :4].tolist()
            here = labels[top : top + height, left : left + width]
            yield np.uint8(255) * (here == number), (left, top, width, height)


def read_best(frame: Bytes, find_pieces: Callable[[Bytes], Iterable[Piece]]) -> FloatArray | None:
    """Judge a frame's pieces, and those of its negative if it is dark (chalk on a board); fit the best."""
    best, at_best = 0.02, None
    for grey in (frame, 255 - frame) if np.median(frame) < 90 else (frame,):
        for piece, box in find_pieces(grey):
            score = judge(grey, piece, box)
            if score > best:
                best, at_best = score, (grey, piece, box)
    return fit_soft(*at_best) if at_best else None


def fit_soft(frame: Bytes, piece: Bytes, box: Box) -> FloatArray | None:
    """Fit a piece with the soft edges that it has in the frame, thickened or thinned to MNIST's strokes."""
    left, top, width, height = box
    near = frame[top : top + height, left : left + width]
    paper, ink = np.percentile(near, 95), np.median(near[piece > 0])
    soft = np.clip((paper - near) / max(paper - ink, 1), 0, 1)
    around = cv2.dilate(piece, np.ones((3, 3), np.uint8))
    scale = 80 / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    large = np.pad(cv2.resize((soft * around).astype(np.uint8), size, interpolation=cv2.INTER_AREA), 8)
    present = measure_width(np.uint8(255) * (large > 127))
    change = round(min(max(present, 8), 13) - present)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1, abs(change) + 1))
    return fit(cv2.dilate(large, brush) if change > 0 else cv2.erode(large, brush))


def cut_at_levels(frame: Bytes, levels: Sequence[float]) -> Iterator[Piece]:
    """Cut the frame at several shares of the paper's own grey."""
    size = round(0.22 * max(frame.shape)) | 1
    blurred = smooth(frame, 3)
    paper = cv2.morphologyEx(blurred, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    lightness = cv2.divide(blurred, paper, scale=255)
    return take_pieces(cv2.inRange(lightness, 0, round(255 * (1 - level))) for level in levels)


def cut_adaptively(frame: Bytes, settings: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    """Adaptive thresholds of several blocks and offsets."""
    blurred = smooth(frame, 5)
    return take_pieces(threshold_adaptively(blurred, *each) for each in settings)


def cut_globally(frame: Bytes, step: int) -> Iterator[Piece]:
    """Global thresholds all the way from black to white."""
    blurred = smooth(frame, 3)
    return take_pieces(cv2.inRange(blurred, 0, level) for level in range(step, 255, step))


def cut_locally(frame: Bytes, settings: Sequence[tuple[int, float]]) -> Iterator[Piece]:
    """Sauvola's threshold with several windows."""
    return take_pieces(
        np.uint8(255) * (frame < threshold_sauvola(frame, window_size=window, k=k)) for window, k in settings
    )


def find_stable(frame: Bytes, delta: int) -> Iterator[Piece]:
    """Maximally stable extremal regions."""
    # With their defaults the last two leave out a digit that is alone on its paper.
    finder = cv2.MSER_create(delta, frame.size // 2000, frame.size // 5, max_variation=1.0, min_diversity=0.0)
    for points, (left, top, width, height) in zip(*finder.detectRegions(frame), strict=True):
        piece = np.zeros((height, width), np.uint8)
        piece[points[:, 1] - top, points[:, 0] - left] = 255
        yield piece, (int(left), int(top), int(width), int(height))


RECIPES: dict[str, Recipe] = {
    "Otsu, all ink": partial(read_otsu, blur=0, largest=False),
    "Otsu, all ink, blurred": partial(read_otsu, blur=5, largest=False),
    "Otsu, largest piece": partial(read_otsu, blur=0, largest=True),
    "Otsu, largest piece, blurred": partial(read_otsu, blur=5, largest=True),
    "adaptive 11/2, largest contour": partial(read_adaptive, block=11, offset=2, inside=False),
    "adaptive 35/10, largest contour": partial(read_adaptive, block=35, offset=10, inside=False),
    "adaptive 35/10, largest contour inside": partial(read_adaptive, block=35, offset=10, inside=True),
    "adaptive 75/10, largest contour inside": partial(read_adaptive, block=75, offset=10, inside=True),
    "adaptive 75/20, largest contour inside": partial(read_adaptive, block=75, offset=20, inside=True),
    "Sauvola 25, largest region inside": partial(read_sauvola, window=25, k=0.2),
    "Sauvola 75, largest region inside": partial(read_sauvola, window=75, k=0.1),
    **{
        f"{name}, ring": partial(read_best, find_pieces=find_pieces)
        for name, find_pieces in {
            "MSER 5": partial(find_stable, delta=5),
            "MSER 10": partial(find_stable, delta=10),
            "global thresholds x16": partial(cut_globally, step=15),
            "ink levels x4": partial(cut_at_levels, levels=(0.08, 0.15, 0.27, 0.45)),
            "ink levels x7": partial(cut_at_levels, levels=(0.07, 0.1, 0.15, 0.22, 0.32, 0.45, 0.6)),
            "adaptive x3": partial(cut_adaptively, settings=((25, 5), (51, 10), (101, 20))),
            "adaptive x5": partial(
                cut_adaptively, settings=((25, 5), (51, 5), (51, 12), (101, 10), (101, 20))
            ),
            "Sauvola x3": partial(cut_locally, settings=((25, 0.2), (51, 0.1), (101, 0.1))),
        }.items()
    },
}
