# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11. Your own handwriting, through the camera's eyes
#
# The talk ends its experiments with a test that matters: does the network read *my* handwriting? MNIST's
# pictures are all alike: white ink on black, upright, in the middle, 20 pixels tall. What a camera sees is
# not like that at all.

# %%
# %matplotlib inline
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from shared.conditions import Conditions
from shared.digit_finder import FoundDigit, search_frame
from shared.digit_image import THICKEST, THINNEST, measure_stroke, normalise, to_inputs
from shared.photograph import read_photograph
from shared.reading import Reading, read_digit
from shared.scenery import hold_up
from shared.weights import load_weights
from trainer.blackboard import BLUE, draw_outputs, plot_pictures
from trainer.variants import write_digit

network = load_weights().network  # the weights that come with the project

# %% [markdown]
# **Put your own photograph here.** Write one digit on paper, with any pen. Take a photograph, and put its
# path between the quotes, such as `"my_three.jpg"`. Then run this cell and all below. As long as there is
# none we make one up: a 5 on a card, held before a cluttered room by a hand.

# %%
PHOTOGRAPH = ""

random = np.random.default_rng(11)
if PHOTOGRAPH:
    frame = read_photograph(Path(PHOTOGRAPH), Image.open)
else:
    card = Conditions(fills=False, clutter=3, hand=True, size=0.42, tilt=8.0, light="slope", stroke=0.08)
    frame = hold_up(write_digit(5, random), random, card).frame

figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
axes.imshow(frame, cmap="gray", vmin=0, vmax=255)
axes.set(xticks=(), yticks=(), title=f"What the camera sees: {frame.shape[1]} x {frame.shape[0]} pixels")
plt.show()

# %% [markdown]
# ## Four steps from a camera's picture to an answer
#
# 1. **Ink.** Paper may be dark in a corner and bright in another. So ink is not what is dark, but what is
#    *darker than the paper around it*.
# 2. **Find.** Of all pieces of ink, one is likeliest to be a digit. It is cut out.
# 3. **Normalise.** Its longer side becomes 20 pixels, and its centre of mass goes to the middle of 28 by 28
#    pixels: as MNIST was made.
# 4. **Query** the network, as in lesson 4.

# %%
search = search_frame(frame)
figure, grid = plt.subplots(1, 4, figsize=(11, 3), layout="constrained", width_ratios=(4, 3, 3, 4))
grid[0].imshow(255 - search.ink.ink, cmap="gray")
grid[0].set_title("1. ink")
if isinstance(search.found, FoundDigit):
    image = normalise(search.found.ink)
    outputs = network.query(to_inputs(image))
    grid[1].imshow(search.found.ink, cmap="gray_r")
    grid[1].set_title("2. found")
    grid[2].imshow(image, cmap="gray_r")
    grid[2].set_title("3. normalised")
    draw_outputs(grid[3], outputs)
    grid[3].set_title(f"4. the network says {outputs.argmax()}")
    print(f"found with likelihood {search.found.surroundings.likelihood:.2f}, read as {outputs.argmax()}")
else:
    print(f"the finder says: {search.found}. Try more light, or come closer.")
for axes in grid[:3]:
    axes.set(xticks=(), yticks=())
plt.show()
if not PHOTOGRAPH:
    assert outputs.argmax() == 5
    assert image.shape == (28, 28)

# %% [markdown]
# `read_digit` does all four steps, and tells how sure it is. The Pi Zero calls the very same function.

# %%
reading = read_digit(frame, network)
if isinstance(reading, Reading):
    print(f"it is a {reading.digit}, with confidence {reading.confidence:.2f}")
else:
    print(f"no answer: {reading}")

# %% [markdown]
# ## Are all these steps needed?
#
# Let us see what happens without them. We hold up 100 handwritten digits, ten of each, in easy conditions:
# white paper, even light, the digit anywhere in the picture. Once the whole picture is simply made smaller,
# to 28 by 28 pixels, and its brightness turned round. And once it goes through the camera's eyes.

# %%
random = np.random.default_rng(1)
labels = np.repeat(np.arange(10), 10)
frames = []
for label in labels:
    x, y = random.uniform(-0.6, 0.6, 2)
    easy = Conditions(x=float(x), y=float(y), size=float(random.uniform(0.3, 0.7)))
    frames.append(hold_up(write_digit(int(label), random), random, easy).frame)

shrunk = []
for frame in frames:
    ink = 255 - np.asarray(Image.fromarray(frame).resize((28, 28), Image.Resampling.BOX), np.float32)
    shrunk.append((ink - ink.min()) / (ink.max() - ink.min()))
shrunk = np.stack(shrunk)
said = network.query(to_inputs(shrunk)).argmax(axis=1)
readings = [read_digit(frame, network) for frame in frames]
found = [reading for reading in readings if isinstance(reading, Reading)]
right = {
    "made smaller": float(np.mean(said == labels)),
    "found and normalised": float(
        np.mean(
            [isinstance(r, Reading) and r.digit == label for r, label in zip(readings, labels, strict=True)]
        )
    ),
}
for name, share in right.items():
    print(f"{name}: {share:.0%} right")
assert right["made smaller"] < 0.5
assert right["found and normalised"] > 0.85

# %%
shown = [index for index in range(0, 100, 10) if isinstance(readings[index], Reading)]
pictures = np.concatenate((shrunk[shown], np.stack([readings[index].image for index in shown])))
captions = [f"says {said[index]}" for index in shown] + [f"says {readings[index].digit}" for index in shown]
plot_pictures(
    pictures, captions, across=len(shown), title="Above: made smaller. Below: found and normalised."
)

# %% [markdown]
# It is the same network both times. It can only read what looks like the pictures that it learnt from. **How
# the inputs are made is as important as the network itself.**
#
# ## What MNIST's pens look like
#
# One more thing is put right on the way. A thin pen, far away, leaves a line that is thinner than any in
# MNIST; a thick marker leaves a blob. `normalise` brings both near the widths that MNIST has.

# %%
random = np.random.default_rng(2)
forms = [write_digit(digit, random) for digit in range(10) for _ in range(6)]
widths = [measure_stroke(form) * 20 / max(form.shape) for form in forms]
after = [measure_stroke(normalise(form)) for form in forms]
figure, axes = plt.subplots(figsize=(5, 3.8), layout="constrained")
axes.axhspan(THINNEST, THICKEST, color="#d1e5f0", label="what most of MNIST has")
axes.axline((2.5, 2.5), slope=1, color="#888888", linestyle="--", label="no change")
axes.plot(widths, after, "o", color=BLUE, markersize=4)
axes.set(xlabel="width of the strokes before, in pixels", ylabel="after", title="Sixty digits, sixty pens")
axes.set(xlim=(0, None), ylim=(0, None))
axes.legend(loc="lower right")
plt.show()
print(f"before: {min(widths):.1f} to {max(widths):.1f} pixels, after: {min(after):.1f} to {max(after):.1f}")
assert max(after) - min(after) < 0.8 * (max(widths) - min(widths))

# %% [markdown]
# ## Ideas to keep
#
# 1. A network reads **what looks like its training pictures**. Make the inputs so.
# 2. The finder may say "no digit". **None is an answer**, and a better one than a guess.
#
# If a photograph of yours is misread, `inkling-trainer explain photograph.jpg -o explanation.png` draws every
# step. Next we look [inside the network's mind](12_inside_the_mind.py).
