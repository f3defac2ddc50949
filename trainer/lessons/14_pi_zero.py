# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 14. On to the Pi Zero
#
# The talk ends with a surprise: all of this runs on a Raspberry Pi Zero, one of the smallest and cheapest
# computers there are. Here is how the project does it. The laptop trains, the Pi only queries. Between them
# goes one file, the weights.

# %%
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from shared.conditions import Conditions
from shared.digit_image import normalise, to_inputs
from shared.errors import WeightsError
from shared.messages import PredictionMessage, encode
from shared.precision import PRECISIONS
from shared.reading import DigitReader, Reading
from shared.scenery import Scene
from shared.sheet import write_sheet
from shared.topics import Topics
from shared.weights import export_weights, load_weights
from trainer.datasets import load_mnist
from trainer.evaluation import evaluate
from trainer.mnist import find_data_directory
from trainer.variants import write_digit

trained = load_weights()  # the weights that come with the project
network = trained.network
folder = tempfile.TemporaryDirectory()  # all that this lesson writes, and removes at its end

# %% [markdown]
# ## What has the Pi to do?
#
# Training is the hard part, and it is over. To read a picture, the Pi goes through the network once. That is
# one multiplication for each link. The weights that come with the project have more of them than the talk's
# 158,800: between 784 input nodes and 10 output nodes lie two hidden layers, of 300 and 100 nodes. With
# them it reads MNIST more surely than with one of 200. Here is how long one query takes on the computer that
# runs this lesson:

# %%
links = sum(matrix.size for matrix in network.weights)
assert links == 784 * 300 + 300 * 100 + 100 * 10 == 266_200

inputs = to_inputs(normalise(write_digit(3, np.random.default_rng(0))))
begun = time.perf_counter()
for _ in range(1000):
    network.query(inputs)
print(f"{links:,} links; one query takes {1000 * (time.perf_counter() - begun):.0f} microseconds here")

# %% [markdown]
# ## The weights file
#
# It holds the matrices, and a card that says where they come from. And it holds a hash, a fingerprint of
# everything in it. If a single byte is changed on the way, the Pi refuses the file and goes on with the
# weights that it has.

# %%
path = Path(folder.name, "weights.npz")
export_weights(path, network, trained.card)
print("layers", trained.card.layers, "with hash", trained.name)
print(
    "learnt from:",
    *(f"{data['name']} ({data['images']:,} pictures)" for data in trained.card.data),
    sep="\n  ",
)
assert load_weights(path).sha256 == trained.sha256

content = bytearray(path.read_bytes())
content[len(content) // 2] ^= 1  # one bit
path.write_bytes(content)
try:
    load_weights(path)
except WeightsError:
    print("one bit was changed: refused")
else:
    raise AssertionError("a damaged file was taken")

# %% [markdown]
# ## Smaller still
#
# Must weights be so exact? Each is kept with 32 bits. We try 16 bits, and whole numbers of 8 bits. Lesson 13
# makes us hopeful: this is a kind of noise on the weights. And so it is: hardly a picture is read otherwise,
# and the file with 8 bits is less than a third of the size.

# %%
tests = load_mnist(find_data_directory(), test=True)
sizes, correct = {}, {}
for precision in PRECISIONS:
    export_weights(path, network, trained.card, precision)
    sizes[precision] = path.stat().st_size
    correct[precision] = evaluate(load_weights(path).network, tests).correct
    print(f"{precision:8} {sizes[precision] / 1000:4.0f} kB, {correct[precision]:,} of {len(tests):,} right")
assert sizes["int8"] < sizes["float32"] / 3
assert abs(correct["int8"] - correct["float32"]) < 20

figure, axes = plt.subplots(figsize=(5, 2.4), layout="constrained")
axes.barh(list(sizes), [size / 1000 for size in sizes.values()], color="#4393c3")
for place, precision in enumerate(sizes):
    text = f" {correct[precision] / len(tests):.2%} right"
    axes.text(sizes[precision] / 1000, place, text, va="center")
axes.invert_yaxis()
axes.set(xlabel="kB", title="The weights file", xlim=(0, 1.43 * max(sizes.values()) / 1000))
plt.show()

# %% [markdown]
# ## Before the camera
#
# On the Pi, `DigitReader` reads one camera frame after the other. Here somebody holds a 7 up. The hand does
# not keep quite still, and the camera's noise is another in each frame. In the last frame the card is gone.

# %%
random = np.random.default_rng(7)
conditions = Conditions(size=0.5, clutter=1, fills=False)
scene = Scene(random, conditions)
card, place = write_sheet(write_digit(7, random), conditions, random, scene.shape)
frames = [scene.look(random, [(card, place._replace(x=place.x + shift))]) for shift in (0, 6, 10)]
frames.append(scene.look(random))

reader = DigitReader(network)
answers = [reader.read(frame) for frame in frames]
figure, grid = plt.subplots(1, 4, figsize=(11, 2.6), layout="constrained")
for axes, frame, answer in zip(grid, frames, answers, strict=True):
    axes.imshow(frame, cmap="gray", vmin=0, vmax=255)
    axes.set(xticks=(), yticks=())
    if isinstance(answer, Reading):
        axes.set_title(f"{answer.digit}, confidence {answer.confidence:.2f}")
        corner = answer.box.x, answer.box.y
        axes.add_patch(
            plt.Rectangle(corner, answer.box.width, answer.box.height, fill=False, edgecolor="#1a9850", lw=2)
        )
    else:
        axes.set_title(str(answer))
plt.show()
assert all(isinstance(answer, Reading) and answer.digit == 7 for answer in answers[:3])
assert not isinstance(answers[3], Reading)

# %% [markdown]
# ## The whole network knows
#
# What is read is said with LEDs, and over MQTT: a small message to a *broker*, which passes it on to whoever
# listens. This is what the Pi says:

# %%
reading = answers[2]
outputs = tuple(round(float(output), 3) for output in reading.outputs)
message = PredictionMessage(reading.digit, round(reading.confidence, 3), outputs, model=trained.name)
print(Topics("pi-zero").prediction)
print(encode(message).decode())
assert json.loads(encode(message))["digit"] == 7

# %% [markdown]
# ## The Pi's own program
#
# `inkling-edge` is what runs on the Pi, and it runs here, too. We give it a photograph and our weights:

# %%
photograph = Path(folder.name, "seven.png")
Image.fromarray(frames[0]).save(photograph)
command = [sys.executable, "-m", "edge", "classify", "--json", "--weights", str(path), str(photograph)]
done = subprocess.run(command, capture_output=True, text=True, check=True)
answer = json.loads(done.stdout)
print(f"inkling-edge says: digit {answer['digit']}, confidence {answer['confidence']:.2f}")
assert answer["digit"] == 7
folder.cleanup()

# %% [markdown]
# ## Now you
#
# Train weights of your own, and look at what they can do:
#
#     inkling-trainer train --rotate --epochs 30 -o weights.npz
#     inkling-trainer report weights.npz -o report.html
#     inkling-edge classify --weights weights.npz photograph.jpg
#
# `make demo` holds digits up to a simulated camera and says them over MQTT, all on this computer. The README
# tells how to set up a real Pi Zero with a camera, under "On a Pi Zero".
#
# You began with kilometres and miles: a model with one parameter, and an error to refine it. This is the same
# idea, 266,200 times. Make your own!
