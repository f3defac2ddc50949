# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12. Peeking inside the mind: backquery
#
# We ask a network "what is this?", and it answers "a 5". Can we ask it the other way round: "what do you
# think a 5 looks like?" The talk does, and calls it **backquery**. The signals go backwards: from the answer,
# through the links, to the inputs.
#
# We begin with a network that has learnt in small steps, and not for long.

# %%
# %matplotlib inline
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit, logit

from trainer.backquery import backquery, make_minds
from trainer.blackboard import BLUE, plot_pictures
from trainer.datasets import load_mnist
from trainer.evaluation import measure_accuracy
from trainer.mnist import find_data_directory
from trainer.plots import plot_minds
from trainer.presets import PRESETS
from trainer.training import train

mnist = load_mnist(find_data_directory(), test=False)
tests = load_mnist(find_data_directory(), test=True)
gentle = train(mnist, replace(PRESETS["talk"].recipe, learning_rate=0.1, epochs=3)).network

# %% [markdown]
# ## Backwards through a node
#
# Forward, a node makes a signal of its sum: $o = \text{sigmoid}(x)$. Backward we need the sum that belongs to
# a signal. The inverse of the sigmoid is called **logit**:
#
# $$x = \ln \frac{o}{1 - o}$$
#
# For an output of 0.99 the sum is 4.595. For 1 it would be infinite: one more reason for targets of 0.99 and
# 0.01.
#
# Then the sums go back through the links, $W^T \cdot x$, just as errors do. What arrives at the hidden layer
# can be any number, but signals are between 0 and 1. So it is stretched to 0.01 to 0.99. Then the same once
# more, to the inputs.

# %%
print(f"logit(0.99) = {logit(0.99):.3f}, and back: {expit(logit(0.99)):.2f}")
assert round(float(logit(0.99)), 3) == 4.595

signals = np.linspace(0.005, 0.995, 200)
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
axes.plot(signals, logit(signals), color=BLUE)
axes.set(xlabel="signal o", ylabel="sum x", title="logit, the way back through a sigmoid")
axes.grid(color="#dddddd")
plt.show()

# %% [markdown]
# ## The network's ten ideas
#
# These ten pictures are nobody's handwriting, and no average. They are in the link weights, and in nothing
# else. Dark means "there should be ink here", pale means "there should be none". Look at the 0: no ink in its
# middle! Look at the upright line in the 1, the curves of the 2 and the 3. Others are hard to make out: the
# network has found other marks than ours.

# %%
ideas = backquery(gentle)
print(f"this network reads {measure_accuracy(gentle, tests):.1%} of the test pictures right")
zero = ideas[0].reshape(28, 28)
assert zero[12:17, 13:18].mean() < zero[5:24, 5:24].mean() - 0.1
plot_pictures(ideas.reshape(10, 28, 28), [f"label {digit}" for digit in range(10)])

# %% [markdown]
# Lesson 8's network took larger steps and reads far more pictures right. But its ideas are harder for us to
# see. It has learnt fine details that hold for thousands of pictures at once. **A good reader need not have
# pretty ideas.**

# %%
network = train(mnist, PRESETS["talk"].recipe).network
accuracy = measure_accuracy(network, tests)
print(f"lesson 8's network reads {accuracy:.1%} of the test pictures right")
assert 0.97 < accuracy < 0.98
assert measure_accuracy(gentle, tests) < 0.95


def measure_roughness(pictures):
    """How much neighbouring pixels differ, as a share of how much all pixels differ."""
    squares = pictures.reshape(10, 28, 28)
    return float(np.abs(np.diff(squares)).mean() / squares.std(axis=(1, 2)).mean())


roughness = measure_roughness(ideas), measure_roughness(backquery(network))
print(f"roughness: {roughness[0]:.2f} and {roughness[1]:.2f}")
assert roughness[1] > roughness[0]
plot_pictures(backquery(network).reshape(10, 28, 28), [f"label {digit}" for digit in range(10)])

# %% [markdown]
# ## Does the network recognise its own ideas?
#
# We put each picture into the network again. And we compare with two other pictures of each digit:
#
# - the **average** of all training pictures of it, which needs no network;
# - what **excites** its output node most. We begin with grey, and go *up* the slope of the node's sum, step
#   by step: lesson 6's gradient descent, but uphill, and with the inputs in place of the weights.

# %%
minds = make_minds(gentle, mnist)
plot_minds(minds, gentle, "Three pictures of each digit, and what the network reads in them")

# %%
digits = np.arange(10)
recognised = {}
for name, pictures in zip(("average", "backquery", "excites"), minds.values(), strict=True):
    outputs = gentle.query(pictures)
    recognised[name] = int((outputs.argmax(axis=1) == digits).sum())
    loud = outputs[digits, digits].mean()
    print(f"{name:9}: {recognised[name]} of 10 are read as meant, and the nodes say {loud:.2f} on average")
assert recognised["excites"] == 10
assert gentle.query(minds[list(minds)[2]])[digits, digits].min() > 0.99
assert recognised["average"] >= 9

# %% [markdown]
# The averages look like digits, and are read so. The pictures in the last row excite their nodes until they
# say 1.00, louder than their targets, and we would hardly call them digits. So a network can be very sure of
# something that is nothing to us. That is worth remembering: **it knows what parts a 3 from the nine other
# digits, and not what a 3 is.** This is why the weights that come with the project also learnt from pictures
# of what is *no* digit.
#
# Not all backqueries are recognised. The way back is only a guess: many inputs give the same answer, and
# stretching changes the signals.
#
# ## Ideas to keep
#
# 1. **Backquery** sends an answer backwards, and shows what the links have learnt.
# 2. What a network has in mind is not what we have in mind.
#
# `inkling-trainer backquery weights.npz -o mind.png` draws these pictures for any weights. Next, a claim
# about brains is put to the test: [resilience](13_resilience.py).
