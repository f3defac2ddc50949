"""Acts: what happens before the simulated camera for a while, as hard as a visitor would make it.

A digit is held up: it comes in, trembles, is tilted, covered, written, lit anew, swapped for another, and
goes. Or none is: then a hand passes, a blank sheet is held up, somebody dims the lamp.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.backdrop import draw_backdrop
from shared.conditions import Conditions, Light
from shared.feedforward import FloatArray
from shared.layer import Layer, Place
from shared.scenery import FRAME, Scene, draw_light
from shared.sheet import draw_cover, draw_hand, write_change, write_sheet
from shared.texture import Shape, pick

# What can happen to a digit, and what can happen where there is none.
KINDS = (
    *("still", "entering", "wobbling", "tilting", "writing"),
    *("turning", "uncovering", "hand", "light", "swapping"),
)
EMPTY_KINDS = ("empty", "hand", "blank", "light")

SHUTTER_S = 0.02  # how long a picture is taken
SMEAR = 3  # pixels between the places in which something moving is seen in one picture ...
MOST_MOMENTS = 8  # ... as long as these are no more
LOOK_STEP_S = 0.02  # how finely it is told when a digit has begun to go

Random = np.random.Generator
Bytes = npt.NDArray[np.uint8]
Held = tuple[tuple[Layer, Place], ...]


class Ink(NamedTuple):
    """A digit, and how it is written: float32 (H, W), 0.0 = paper, 1.0 = full ink."""

    digit: int
    picture: FloatArray


class Stage(NamedTuple):
    """What is before the backdrop, the furthest first, and how much light there is of the usual."""

    held: Held = ()
    light: FloatArray | float = 1.0


Staging = Callable[[float], Stage]  # what there is after some seconds


class Showing(NamedTuple):
    """A digit to be read, in seconds of its act: held still from `still`, no longer whole from `gone` on."""

    digit: int
    begin: float
    still: float
    gone: float


@dataclass(frozen=True, eq=False)
class Act:
    """What happens before the camera for `length_s` seconds."""

    scene: Scene
    random: Random
    length_s: float
    staging: Staging
    showings: tuple[Showing, ...] = ()

    def look(self, time: float) -> Bytes:
        """Take a picture, uint8 (H, W), `time` seconds into the act; its noise is fresh each time."""
        held, light = self.staging(time)
        moments = [held]
        before = self.staging(time - SHUTTER_S).held
        if len(before) == len(held):
            far = max(
                (there.measure(here) for (_, there), (_, here) in zip(before, held, strict=True)), default=0
            )
            # What moves is seen in several places at once.
            count = min(round(far / SMEAR), MOST_MOMENTS)
            moments += [self.staging(time - SHUTTER_S * part / count).held for part in range(1, count)]
        seen = np.mean([self.scene.see(one) for one in moments], axis=0)
        return self.scene.expose(self.random, seen, light)

    def find_digit(self, time: float) -> int | None:
        """The digit that is held up at a time, also while it comes and goes."""
        return next((one.digit for one in self.showings if one.begin <= time < one.gone), None)


@dataclass(frozen=True)
class Tremble:
    """How a hand moves what it holds: by some pixels about its place, by some degrees about its angle."""

    pixels: float
    degrees: float
    speeds: tuple[float, ...]  # full swings a second: to the right, down, round
    begins: tuple[float, ...]

    @classmethod
    def draw(cls, random: Random, pixels: float, degrees: float) -> Tremble:
        """Draw one that swings 0.5 to 2 times a second."""
        speeds, begins = random.uniform(0.5, 2, 3).tolist(), random.uniform(0, 2 * math.pi, 3).tolist()
        return cls(pixels, degrees, tuple(speeds), tuple(begins))

    def move(self, place: Place, time: float) -> Place:
        """Where something is that would be at a place."""
        right, down, turned = (
            math.sin(begin + 2 * math.pi * speed * time)
            for speed, begin in zip(self.speeds, self.begins, strict=True)
        )
        return place._replace(
            x=place.x + self.pixels * right,
            y=place.y + self.pixels * down,
            angle=place.angle + self.degrees * turned,
        )


@dataclass(frozen=True)
class Path:
    """A way into sight and out of it, and when: it begins, is still, leaves, and is out of sight at `end`."""

    outside: Place
    there: Place
    away: Place
    begin: float
    still: float
    leave: float
    end: float
    tremble: Tremble

    @classmethod
    def draw(
        cls, random: Random, there: Place, shape: Shape, begin: float, hold_s: float, tremble: Tremble
    ) -> Path:
        """Draw one that is still for `hold_s` seconds."""
        outside, away = (_draw_outside(random, there, shape) for _ in range(2))
        still = begin + random.uniform(0.15, 0.5)
        leave = still + hold_s
        return cls(outside, there, away, begin, still, leave, leave + random.uniform(0.15, 0.4), tremble)

    def find(self, time: float) -> Place | None:
        """Where it is at a time, if it is in sight."""
        if not self.begin <= time < self.end:
            return None
        come = _ease((time - self.begin) / (self.still - self.begin))
        gone = _ease((time - self.leave) / (self.end - self.leave))
        place = self.outside.blend(self.there, come) if not gone else self.there.blend(self.away, gone)
        return self.tremble.move(place, time)


def _ease(share: float) -> float:
    """Set out slowly and arrive slowly."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _draw_outside(random: Random, there: Place, shape: Shape) -> Place:
    """Somewhere out of sight: to the left or right, above or below, turned."""
    far = 1.6 * max(shape)
    right, down = pick(random, (0.0, far), (far, 0.0), (-far, 0.0), (0.0, -far))
    return Place(
        there.x + right,
        there.y + down,
        there.angle + random.uniform(-25, 25),
        random.uniform(0.7, 1.2),
        there.lean,
    )


@dataclass(frozen=True, eq=False)
class Hold:
    """A sheet that is held up, and what it looks like while it changes, for `change_s` once it is still."""

    sheets: Sequence[Layer]
    path: Path
    change_s: float
    digit: int

    @classmethod
    def draw(
        cls,
        random: Random,
        kind: str,
        ink: Ink,
        before: Ink,
        conditions: Conditions,
        shape: Shape,
        begin: float,
        hold_s: float,
    ) -> Hold:
        """Write on a sheet, and draw its path."""
        change_s = random.uniform(0.15, 0.4) if kind in ("writing", "turning", "uncovering") else 0.0
        if kind in ("writing", "turning"):
            old = before.picture if kind == "turning" else None
            sheets, there = write_change(old, ink.picture, conditions, random, shape)
        else:
            sheet, there = write_sheet(ink.picture, conditions, random, shape)
            sheets = [sheet]
        pixels, degrees = random.uniform(0.3, 1.5), random.uniform(0.1, 0.6)
        if kind == "still":
            pixels = degrees = 0.0
        elif kind == "wobbling":
            pixels, degrees = random.uniform(2, 5), random.uniform(1, 4)
        tremble = Tremble.draw(random, pixels, degrees)
        path = Path.draw(random, there, shape, begin, hold_s + change_s, tremble)
        return cls(sheets, path, change_s, ink.digit)

    def __call__(self, time: float) -> Held:
        """What is held where at a time."""
        place = self.path.find(time)
        if place is None:
            return ()
        changed = (time - self.path.still) / self.change_s if self.change_s else 1.0
        step = min(max(int(changed * len(self.sheets)), 0), len(self.sheets) - 1)
        return ((self.sheets[step], place),)

    def tell(self, shape: Shape) -> Showing:
        """When its digit is to be read."""
        path, sheet = self.path, self.sheets[-1]
        gone = path.end
        for time in np.arange(path.leave, path.end, LOOK_STEP_S).tolist():
            left, top, right, bottom = sheet.find_box(path.find(time) or path.there, shape)
            if left < -2 or top < -2 or right > shape[1] + 2 or bottom > shape[0] + 2:
                gone = time
                break
        return Showing(self.digit, path.begin, path.still + self.change_s, gone)


def draw_act(
    random: Random,
    kind: str,
    ink: Ink,
    other: Ink,
    conditions: Conditions,
    *,
    shape: Shape = FRAME,
    lead_s: float = 0.3,
    hold_s: float = 1.2,
    gap_s: float = 1.2,
) -> Act:
    """Hold up a digit.

    Parameters
    ----------
    kind : one of `KINDS`
    other : what the digit is swapped for, or what it was before it is turned into this one
    lead_s : how long nothing is held up first
    hold_s : how long the digit is held still, and whole
    gap_s : how long nothing is held up in the end
    """
    scene = Scene(random, conditions, draw_backdrop(random, shape, conditions.clutter))
    hold = Hold.draw(random, kind, ink, other, conditions, shape, lead_s, hold_s)
    showings, end = [hold.tell(shape)], hold.path.end
    staging: Staging
    if kind == "tilting":
        staging = _tilt(random, hold)
    elif kind == "uncovering":
        staging = _uncover(random, hold, conditions, shape)
    elif kind == "hand":
        when = hold.path.still + random.uniform(0.5, max(hold_s - 0.5, 0.5))  # after there was time to read
        staging = _pass_hand(random, hold, shape, when, hold.path.there.y)
    elif kind == "light":
        staging = _relight(random, hold, conditions.light, shape, hold.path.still, hold_s)
    elif kind == "swapping":
        begin = hold.path.leave + random.uniform(0, 0.3)
        second = Hold.draw(random, kind, other, ink, conditions, shape, begin, hold_s)
        showings.append(second.tell(shape))
        end = second.path.end
        staging = lambda time: Stage(hold(time) + second(time))  # noqa: E731
    else:
        staging = lambda time: Stage(hold(time))  # noqa: E731
    return Act(scene, random, end + gap_s, staging, tuple(showings))


def draw_empty_act(
    random: Random,
    kind: str,
    conditions: Conditions,
    length_s: float,
    *,
    shape: Shape = FRAME,
    scene: Scene | None = None,
) -> Act:
    """Hold up no digit; `kind` is one of `EMPTY_KINDS`, and the place a new one, unless a scene is given."""
    scene = scene or Scene(random, conditions, draw_backdrop(random, shape, conditions.clutter))
    staging: Staging = lambda time: Stage()  # noqa: E731
    if kind == "hand":
        when, height = random.uniform(0, length_s), random.uniform(0.3, 1) * shape[0]
        staging = _pass_hand(random, lambda time: (), shape, when, height)
    elif kind == "blank":
        cover = draw_cover(conditions, random, *(random.uniform(0.3, 1) * side for side in shape))
        x, y = (random.uniform(0.2, 0.8) * side for side in shape[::-1])
        there = Place(x, y, conditions.tilt)
        tremble = Tremble.draw(random, random.uniform(0, 4), random.uniform(0, 2))
        path = Path.draw(random, there, shape, random.uniform(0, 1), max(length_s - 2, 0.5), tremble)
        staging = lambda time: Stage(_show(cover, path.find(time)))  # noqa: E731
    elif kind == "light":
        staging = _relight(random, lambda time: (), conditions.light, shape, 0, length_s)
    return Act(scene, random, length_s, staging)


def _show(layer: Layer, place: Place | None) -> Held:
    return () if place is None else ((layer, place),)


def _tilt(random: Random, hold: Hold) -> Staging:
    """Turn the sheet to and fro, and lean it."""
    angle, lean = random.uniform(6, 14), random.uniform(0, 25)
    speed, begin = random.uniform(0.2, 0.6), random.uniform(0, 2 * math.pi)

    def stage(time: float) -> Stage:
        turn = math.sin(begin + 2 * math.pi * speed * time)
        return Stage(
            tuple(
                (sheet, place._replace(angle=angle * turn, lean=lean * turn)) for sheet, place in hold(time)
            )
        )

    return stage


def _uncover(random: Random, hold: Hold, conditions: Conditions, shape: Shape) -> Staging:
    """Hold a blank sheet before part of the digit until it is still, then draw it away."""
    path, change_s = hold.path, hold.change_s
    left, top, right, bottom = hold.sheets[0].find_box(path.there, shape)
    size = 1.3 * max(right - left, bottom - top)
    cover = draw_cover(replace(conditions, ruling="none"), random, size, size)
    across, down = pick(random, (1, 0), (-1, 0), (0, 1), (0, -1))
    covered = random.uniform(0.2, 0.7)

    def stage(time: float) -> Stage:
        held = hold(time)
        drawn = _ease((time - path.still) / change_s)
        if not held or drawn == 1:
            return Stage(held)
        place = held[0][1]
        # From where it covers that share of the digit's box to where it is clear of it, and further.
        away = 0.5 * size + (0.5 - covered) * size / 1.3 + drawn * size
        return Stage((*held, (cover, place._replace(x=place.x + across * away, y=place.y + down * away))))

    return stage


def _pass_hand(
    random: Random, hold: Callable[[float], Held], shape: Shape, when: float, height: float
) -> Staging:
    """Pass a hand before everything, about `height` pixels from the top, within half a second."""
    hand = draw_hand(random, shape)
    x = pick(random, -0.6, 1.6) * shape[1]
    begin, end = ((side, height + random.uniform(-20, 60)) for side in (x, shape[1] - x))
    angle, length_s = random.uniform(-40, 40), random.uniform(0.3, 0.5)

    def stage(time: float) -> Stage:
        share = (time - when) / length_s
        if not 0 < share < 1:
            return Stage(hold(time))
        return Stage((*hold(time), (hand, Place(*begin, angle).blend(Place(*end, angle), share))))

    return stage


def _relight(
    random: Random, hold: Callable[[float], Held], light: Light, shape: Shape, begin: float, within_s: float
) -> Staging:
    """Turn the lamp up or down, or let a shadow fall, suddenly or slowly."""
    level: FloatArray | float = pick(random, random.uniform(0.5, 0.8), random.uniform(1.1, 1.3))
    if random.random() < 0.4:
        level = draw_light(random, pick(random, light, "soft shadow", "hard shadow"), shape)
    when, length_s = begin + random.uniform(0, within_s), pick(random, 0.02, random.uniform(0.2, 1.5))

    def stage(time: float) -> Stage:
        return Stage(hold(time), 1 + _ease((time - when) / length_s) * (level - 1))

    return stage
