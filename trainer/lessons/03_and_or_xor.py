# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3. AND, OR, XOR: why one node is not enough
#
# George Boole made arithmetic of thoughts: true is 1, false is 0. Two inputs make one output.
#
# | input 1 | input 2 | AND | OR | XOR |
# | --- | --- | --- | --- | --- |
# | 0 | 0 | 0 | 0 | 0 |
# | 0 | 1 | 0 | 1 | 1 |
# | 1 | 0 | 0 | 1 | 1 |
# | 1 | 1 | 1 | 1 | 0 |
#
# AND wants both. OR wants at least one. XOR wants exactly one: either this or that, but not both. We look at
# each as a task for lesson 2's machine: four points, and a line that should part the ones from the zeros.

# %%
import matplotlib.pyplot as plt
import numpy as np

from shared.feedforward import FeedForward
from trainer.blackboard import BLUE, RED, draw_network

inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
wanted = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}

# %% [markdown]
# ## A node
#
# This is the first **node** of the project's own network. It multiplies each input by the weight of its link,
# adds them up, adds a number of its own that is called its *bias*, and squashes the sum to something between
# 0 and 1:
#
# $$x = w_1 i_1 + w_2 i_2 + b \qquad o = \text{sigmoid}(x) = \frac{1}{1 + e^{-x}}$$
#
# The sigmoid is a soft threshold. A sum far above zero gives nearly 1, one far below zero gives nearly 0. So
# the node says 1 on one side of the line $w_1 i_1 + w_2 i_2 + b = 0$, and 0 on its other side. It *is* lesson
# 2's line.

# %%
sums = np.linspace(-8, 8, 200)
one_link = FeedForward([[[1.0]]])  # one input, one node, one link of weight 1
figure, axes = plt.subplots(figsize=(6, 2.8), layout="constrained")
axes.plot(sums, one_link.query(sums[:, np.newaxis]), color=BLUE)
axes.axvline(0, color="#888888", linestyle="--")
axes.set(xlabel="sum x", ylabel="output o", title="The sigmoid: a soft threshold")
plt.show()
assert one_link.query([0.0])[0] == 0.5
assert one_link.query([5.0])[0] > 0.99

# %% [markdown]
# ## AND and OR
#
# Heavy links make the threshold sharp. Both inputs have links of weight 10. AND needs a sum above 15, which
# only two ones reach; OR needs a sum above 5, which a single one reaches.

# %%
single_nodes = {
    "AND": FeedForward([[[10, 10]]], [[-15]]),
    "OR": FeedForward([[[10, 10]]], [[-5]]),
}
for name, node in single_nodes.items():
    outputs = node.query(inputs)[:, 0]
    print(f"{name:4}", np.round(outputs, 2))
    assert np.rint(outputs).tolist() == wanted[name]

# %%
places = np.linspace(-0.5, 1.5, 101)
everywhere = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)


def draw_sides(axes, network, name):
    """Shade what the network says of every pair of inputs, and mark the four that count."""
    said = network.query(everywhere)[:, 0].reshape(101, 101)
    axes.imshow(said, origin="lower", extent=(-0.5, 1.5, -0.5, 1.5), cmap="RdBu", vmin=-0.4, vmax=1.4)
    axes.contour(places, places, said, levels=[0.5], colors="black", linewidths=1.2)
    for (one, two), label in zip(inputs, wanted[name], strict=True):
        axes.plot(one, two, "o", markersize=17, color=BLUE if label else RED)
        axes.text(one, two, str(label), color="white", weight="bold", ha="center", va="center")
    axes.set(xlabel="input 1", ylabel="input 2", xticks=(0, 1), yticks=(0, 1), title=name)


figure, grid = plt.subplots(1, 2, figsize=(7.4, 3.9), layout="constrained")
for axes, (name, node) in zip(grid, single_nodes.items(), strict=True):
    draw_sides(axes, node, name)
plt.show()

# %% [markdown]
# ## XOR
#
# Now look for a line that parts XOR's ones from its zeros. They lie crosswise. Let the computer look for us:
# it tries 200,000 random nodes, all on all four points. Not one of them is right everywhere; the best are
# right on three of the four.
#
# That is no bad luck. The node would have to say 0 at (0, 0) and at (1, 1): $b < 0$ and $w_1 + w_2 + b < 0$.
# Together that makes $w_1 + w_2 + 2b < 0$. And it would have to say 1 at (0, 1) and at (1, 0): $w_2 + b > 0$
# and $w_1 + b > 0$. Together that makes $w_1 + w_2 + 2b > 0$. Both cannot be.

# %%
random = np.random.default_rng(0)
TRIES = 200_000
nodes = FeedForward([random.normal(0, 10, (TRIES, 2))], [random.normal(0, 10, TRIES)])  # all side by side
said = nodes.query(inputs) > 0.5
most_right = {}
for name, labels in wanted.items():
    right = (said == np.array(labels, bool)[:, np.newaxis]).sum(axis=0)
    most_right[name] = int(right.max())
    print(f"{name:4}: the best of {TRIES:,} nodes is right on {right.max()} of 4 points")
assert most_right == {"AND": 4, "OR": 4, "XOR": 3}

# %% [markdown]
# ## Two lines
#
# If one line is not enough, take two. The first node says whether *at least one* input is 1; that is OR. The
# second says whether *not both* are 1. A third node takes what they say, and wants both: that is AND. The two
# in the middle are **hidden nodes**, and together this is a **neural network**.

# %%
xor = FeedForward([[[10, 10], [-10, -10]], [[10, 10]]], [[-5, 15], [-15]])
outputs = xor.query(inputs)[:, 0]
print("XOR ", np.round(outputs, 2))
assert np.rint(outputs).tolist() == wanted["XOR"]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", width_ratios=(5, 4))
draw_network(
    left,
    xor.weights,
    (("input 1", "input 2"), ("at least\none", "not\nboth"), ("XOR",)),
    ("input layer", "hidden layer", "output layer"),
)
draw_sides(right, xor, "XOR")
plt.show()

# %% [markdown]
# ## Ideas to keep
#
# 1. A single node parts its inputs with a straight line. What no straight line can part, no single node can
#    learn.
# 2. **Several nodes that work together** can. This is why brains and neural networks have so many.
#
# We chose these weights by hand. Lesson 6 lets a network find them. Before that, we look at how signals go
# forward: [signals forward](04_signals_forward.py).
