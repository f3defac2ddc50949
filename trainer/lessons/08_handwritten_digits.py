# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 8. Handwritten digits
#
# MNIST is a famous set of handwritten digits: 60,000 pictures to learn from, and 10,000 to test with, which
# the network never sees while it learns. Each is 28 by 28 pixels, and a person has said what it is.
#
# (If the first cell says that MNIST is missing, run `inkling-trainer fetch`.)

# %%
# %matplotlib inline
import matplotlib.pyplot as plt
import numpy as np

from shared.digit_image import to_inputs
from trainer.backpropagation import make_targets
from trainer.blackboard import draw_outputs, plot_pictures
from trainer.datasets import load_mnist
from trainer.evaluation import evaluate, query_dataset
from trainer.mnist import find_data_directory
from trainer.plots import plot_confusion
from trainer.presets import PRESETS
from trainer.training import train

mnist = load_mnist(find_data_directory(), test=False)
tests = load_mnist(find_data_directory(), test=True)
print(f"{len(mnist):,} to learn from, {len(tests):,} to test with")
assert len(mnist) == 60_000
assert len(tests) == 10_000

# %%
plot_pictures(mnist.images[:30], [str(label) for label in mnist.labels[:30]], across=15)

# %% [markdown]
# ## What goes in
#
# A picture is a table of numbers, from 0, paper, to 255, ink. The network has an input node for each pixel:
# $28 \times 28 = 784$. An input of 0 would be bad: it is a factor in the update rule, so its link would never
# learn. So each number is divided by 255, and then moved from the range 0 to 1 into the range 0.01 to 1:
#
# $$\text{input} = \frac{\text{pixel}}{255} \times 0.99 + 0.01$$
#
# `to_inputs` does the second part. The very same function makes the inputs on the Pi Zero.

# %%
five = mnist.images[0]
inputs = to_inputs(five / np.float32(255))
print(f"{inputs.size} inputs from {inputs.min():.2f} to {inputs.max():.2f}")
assert np.allclose(inputs, five.ravel() / 255 * 0.99 + 0.01)
assert inputs.size == 784

figure, axes = plt.subplots(figsize=(6, 5.8), layout="constrained")
axes.imshow(five, cmap="gray_r")
for row, column in np.ndindex(five.shape):
    if five[row, column]:
        colour = "white" if five[row, column] > 128 else "black"
        axes.text(column, row, five[row, column], color=colour, fontsize=5, ha="center", va="center")
axes.set(xticks=(), yticks=(), title="A 5, as numbers")
plt.show()

# %% [markdown]
# ## What should come out
#
# There is an output node for each digit, ten in all. For a picture of a 5, node 5 should say yes and all
# others no. We do not ask for 1 and 0: a sigmoid never gets there, and the weights would grow without end in
# trying. So the targets are 0.99 and 0.01.

# %%
targets = make_targets(mnist.labels[:1])[0]
print("it is a", mnist.labels[0], "so the targets are", targets)
assert targets[5] == np.float32(0.99)
assert (np.delete(targets, 5) == np.float32(0.01)).all()

# %% [markdown]
# ## Train
#
# The project's preset `talk` is the talk's network: 784 input nodes, 200 hidden nodes, 10 output nodes, the
# squared error, and 5 epochs. An **epoch** is once through all training pictures. 5,000 of the 60,000 are
# held out: after each epoch we see how well it reads those.

# %%
recipe = PRESETS["talk"].recipe
assert recipe.layers == (784, 200, 10)
assert recipe.loss == "squared-error"
assert recipe.epochs == 5
learnt, held_out = mnist.split(recipe.count_held_out(len(mnist)), recipe.seed)
assert len(held_out) == 5000


def tell(moment):
    if moment.ends_epoch:
        print(f"epoch {moment.epoch}: {moment.epoch_accuracy:.1%} of the held-out pictures are read right")


outcome = train(learnt, recipe, held_out=held_out, report=tell)
evaluation = evaluate(outcome.network, tests)
print(f"after {outcome.cpu_seconds:.1f} seconds: {evaluation.accuracy:.2%} of the 10,000 test pictures")

# %% [markdown]
# That is between 97 and 98 %. The talk got 96 to 97 % with one picture at a time. It is a good result for so
# simple a network. And nobody told it what a 5 looks like.

# %%
assert 0.97 < evaluation.accuracy < 0.98

# %% [markdown]
# ## What the output layer says
#
# Let us look at what the ten output nodes say of some test pictures. In the upper row it is sure: one node is
# loud, all others are silent. In the lower row it is wrong, though the node of the red number, which is
# right, speaks too. Where two nodes speak the network is not sure, and we should not be, either.

# %%
outputs = query_dataset(outcome.network, tests)
said = outputs.argmax(axis=1)
ordered = np.sort(outputs, axis=1)
lead = ordered[:, -1] - ordered[:, -2]  # of the loudest node before the next
is_right = said == tests.labels
sure = np.flatnonzero(is_right & (lead > 0.9))[:5]
wrong = np.flatnonzero(~is_right)
wrong = wrong[np.argsort(-outputs[wrong, tests.labels[wrong]])][:5]  # those whose right node is loudest

figure, grid = plt.subplots(4, 5, figsize=(10, 7.4), layout="constrained", height_ratios=(3, 2, 3, 2))
for pictures, bars, chosen in ((grid[0], grid[1], sure), (grid[2], grid[3], wrong)):
    for picture, bar, one in zip(pictures, bars, chosen, strict=True):
        picture.imshow(tests.images[one], cmap="gray_r")
        picture.set(xticks=(), yticks=(), title=f"is {tests.labels[one]}, says {said[one]}")
        draw_outputs(bar, outputs[one], tests.labels[one] if chosen is wrong else None)
plt.show()
for name, chosen in (("read right", is_right), ("read wrong", ~is_right)):
    print(
        f"{name}: {chosen.sum():,} pictures; the loudest node leads by {lead[chosen].mean():.2f} on average"
    )
assert lead[is_right].mean() > lead[~is_right].mean() + 0.2

# %% [markdown]
# ## Which digits are mistaken for which?
#
# The numbers count test pictures: a row for what it was, a column for what the network read. Look for the
# dark squares. Could you be mistaken there, too?

# %%
mistakes = evaluation.confusion.copy()
np.fill_diagonal(mistakes, 0)
for _ in range(3):
    was, read = np.unravel_index(mistakes.argmax(), mistakes.shape)
    print(f"a {was} was read as a {read}: {mistakes[was, read]} times")
    mistakes[was, read] = 0
plot_confusion(evaluation, f"{evaluation.correct:,} of {evaluation.images:,} test pictures are read right")

# %% [markdown]
# ## Ideas to keep
#
# 1. A picture is 784 inputs, an answer is ten outputs. **Targets are 0.01 and 0.99**.
# 2. Keep some pictures apart: only those that the network **has never seen** tell how good it is.
# 3. The values of the output layer say not only *what*, but also *how sure*.
#
# Could it be better? That depends on a few choices. [Experiments](09_experiments.py)
