# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 6. Gradient descent: how each link weight should change
#
# Every node has an error now. How should the link weights change, so that it becomes smaller? There is no
# formula that gives the best weights: too many of them act on each other. So we do what one does on a hill in
# the dark, with a torch. We cannot see the valley. But we see which way the ground slopes at our feet, and
# take a step down. Then we look again. This is **gradient descent**.

# %%
import matplotlib.pyplot as plt
import numpy as np

from shared.feedforward import FeedForward
from trainer.backpropagation import find_gradients, initialise
from trainer.blackboard import BLUE, RED
from trainer.losses import LOSSES

# %% [markdown]
# ## A valley that we can see
#
# Take the curve $y = (x - 1)^2 + 1$. Its lowest point is at $x = 1$. Its slope is $\frac{dy}{dx} = 2 (x -
# 1)$. Where the slope is positive the ground rises to the right, so we step to the left; so the step is
# *minus* the slope, moderated by a learning rate:
#
# $$x \leftarrow x - \text{learning rate} \times \frac{dy}{dx}$$
#
# Near the bottom the slope is small, and so are the steps. With too large a rate each step goes too far, and
# we climb out of the valley.


# %%
def descend(x, rate, steps):
    path = [x]
    for _ in range(steps):
        x -= rate * 2 * (x - 1)
        path.append(x)
    return np.array(path)


def height(x):
    return (x - 1) ** 2 + 1


figure, grid = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained", sharey=True)
across = np.linspace(-1.6, 3.6, 100)
for axes, rate in zip(grid, (0.1, 0.8, 1.05), strict=True):
    path = descend(-0.5, rate, 8)
    axes.plot(across, height(across), color="#bbbbbb")
    axes.plot(path, height(path), "o-", color=BLUE if rate < 1 else RED, markersize=4, linewidth=1)
    axes.set(title=f"learning rate {rate}", xlabel="x")
    print(f"learning rate {rate}: from x = -0.5 to {path[-1]:.2f} in 8 steps")
grid[0].set_ylabel("y")
plt.show()
assert abs(descend(-0.5, 0.1, 50)[-1] - 1) < 0.001
assert abs(descend(-0.5, 1.05, 50)[-1] - 1) > 100

# %% [markdown]
# ## What is the height of the hill?
#
# It must be one number that says how wrong a network is: the **error function**. Here are three ways to make
# it of what an output node should say (the target $t$) and what it says ($o$):
#
# | target | output | $t - o$ | $\lvert t - o \rvert$ | $(t - o)^2$ |
# | --- | --- | --- | --- | --- |
# | 0.5 | 0.4 | 0.1 | 0.1 | 0.01 |
# | 0.7 | 0.8 | $-0.1$ | 0.1 | 0.01 |
# | 1.0 | 1.0 | 0 | 0 | 0 |
# | **sum** | | **0** | **0.2** | **0.02** |
#
# The first says that this network makes no error at all: plus and minus cancel. The second does not get
# flatter near the bottom, so we would step over it again and again. The third, the **squared error**, is
# smooth, and its slope becomes small near the bottom. We take it. (The project takes half of it, so that a 2
# disappears below.)

# %%
targets, outputs = np.array([0.5, 0.7, 1.0]), np.array([0.4, 0.8, 1.0])
sums = [(targets - outputs).sum(), np.abs(targets - outputs).sum(), ((targets - outputs) ** 2).sum()]
print("sums", np.round(sums, 3))
assert np.allclose(sums, [0, 0.2, 0.02])
squared = LOSSES["squared-error"].measure(outputs[np.newaxis], targets[np.newaxis])
assert np.isclose(squared, 0.02 / 2)

# %% [markdown]
# ## The slope of the error, for one link
#
# Take the link from hidden node $j$ to output node $k$. Its weight is $w_{jk}$. The node's sum is $x_k =
# \sum_j w_{jk} o_j$, its output is $o_k = \text{sigmoid}(x_k)$, and the error function is $E = \frac{1}{2}
# \sum_n (t_n - o_n)^2$. This weight acts on output $k$ alone, so only $n = k$ is left of the sum. How does
# $E$ change with $w_{jk}$? It is a chain: the weight changes the sum, the sum changes the output, the output
# changes the error. So the slopes are multiplied (the **chain rule**):
#
# $$\frac{\partial E}{\partial w_{jk}} =
#   \frac{\partial E}{\partial o_k} \cdot \frac{\partial o_k}{\partial x_k}
#   \cdot \frac{\partial x_k}{\partial w_{jk}}$$
#
# One by one:
#
# - $\frac{\partial E}{\partial o_k} = -(t_k - o_k)$, the error with a minus;
# - $\frac{\partial o_k}{\partial x_k} = o_k (1 - o_k)$, which is the slope of the sigmoid;
# - $\frac{\partial x_k}{\partial w_{jk}} = o_j$, the signal that came along the link.
#
# Together, with the error $e_k = t_k - o_k$:
#
# $$\frac{\partial E}{\partial w_{jk}} = - e_k \cdot o_k (1 - o_k) \cdot o_j$$
#
# The weight should go *down* the slope, moderated by the learning rate $\alpha$. This is **the update rule**:
#
# $$\Delta w_{jk} = \alpha \cdot e_k \cdot o_k (1 - o_k) \cdot o_j$$
#
# In words: a link changes much if the error is large, if the node is not yet sure (its sigmoid is steep), and
# if the signal along the link was strong.
#
# ## The talk's example
#
# Two links with weights 2.0 and 3.0 lead into an output node with an error of 0.8. The signals along them are
# 0.4 and 0.5. The sum is 2.3, and the output 0.909. For the first link the slope is $-0.0265$. With a
# learning rate of 0.1 its weight grows by 0.00265, from 2.0 to 2.00265.

# %%
hidden_signals = np.array([0.4, 0.5])
node = FeedForward([[[2.0, 3.0]]])
output = node.query(hidden_signals)[0]
slope = -0.8 * output * (1 - output) * hidden_signals[0]
print(f"output {output:.3f}, slope {slope:.4f}, new weight {2.0 - 0.1 * slope:.5f}")
assert round(float(output), 3) == 0.909
assert round(float(slope), 4) == -0.0265
assert round(float(2.0 - 0.1 * slope), 5) == 2.00265

# %% [markdown]
# The project finds the same slope. (We choose the target so that the error is 0.8.)

# %%
inputs = hidden_signals[np.newaxis].astype(np.float32)
gradients, _ = find_gradients(node, node.forward(inputs), node.query(inputs) + 0.8, loss="squared-error")
print("the project's slopes for both links:", np.round(gradients[0][0], 4))
assert np.isclose(gradients[0][0, 0], slope)

# %% [markdown]
# ## Is the formula right? Look at the ground
#
# A formula that was derived can be wrong. There is a plain way to check it: move one weight a tiny step up
# and a tiny step down, measure the error both times, and divide the difference by the distance. That *is* the
# slope. It is called a **finite difference**:
#
# $$\frac{\partial E}{\partial w} \approx \frac{E(w + h) - E(w - h)}{2h}$$
#
# We do it for all 18 links of lesson 4's network, and compare with what `find_gradients` says. (Why not
# always do it so? It takes two queries for *each* link. Backpropagation finds all slopes with one way forward
# and one way back.)


# %%
def measure_slopes(network, inputs, targets, h=0.01):
    """The slope of the error for each link, from measured errors alone."""
    slopes = []
    for matrix in network.weights:
        for place in np.ndindex(matrix.shape):
            before = matrix[place]
            heights = []
            for step in (h, -h):
                matrix[place] = before + step
                wrong = targets - network.query(inputs).astype(np.float64)
                heights.append((wrong**2).sum() / 2)
            matrix[place] = before
            slopes.append((heights[0] - heights[1]) / (2 * h))
    return np.array(slopes)


network = FeedForward(
    [[[0.9, 0.3, 0.4], [0.2, 0.8, 0.2], [0.1, 0.5, 0.6]], [[0.3, 0.7, 0.5], [0.6, 0.5, 0.2], [0.8, 0.1, 0.9]]]
)
inputs, targets = np.array([[0.9, 0.1, 0.8]], np.float32), np.array([[0.01, 0.01, 0.99]], np.float32)
found, _ = find_gradients(network, network.forward(inputs), targets, loss="squared-error")
found = np.concatenate([matrix.ravel() for matrix in found])
measured = measure_slopes(network, inputs, targets)
print(f"largest slope {np.abs(found).max():.4f}, largest difference {np.abs(found - measured).max():.6f}")
assert len(found) == 18
assert np.abs(found - measured).max() < 0.0001

figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
axes.axline((0, 0), slope=1, color="#bbbbbb")
axes.plot(measured[:9], found[:9], "o", color=RED, label="input to hidden links")
axes.plot(measured[9:], found[9:], "o", color=BLUE, label="hidden to output links")
axes.set(xlabel="measured slope", ylabel="slope from the formula", title="18 links, two ways, one answer")
axes.legend()
plt.show()

# %% [markdown]
# ## A shortcut in the talk
#
# The whole chain from the error to a link *before* the hidden layer goes through the sigmoids of the output
# nodes, too. So what should go back is not $e$ but $e \cdot o (1 - o)$, and that is what the project sends
# back for the squared error. The talk sends back $e$ itself, $W^T \cdot e$. Its steps are longer, but here
# they go nearly the same way: the cosine of the angle between both is above 0.99, and 1 would be the same
# direction.
#
# There is an error function for which the talk's $W^T \cdot e$ is exact. It is called **cross-entropy**, and
# it is the project's usual choice: a node that is sure, and wrong, has a flat sigmoid and would learn slowly
# by the squared error.

# %%
signals = network.forward(inputs)
e = targets - signals[-1]
hidden, exact = signals[1], found[:9]
shortcut = -np.outer((e @ network.weights[1]) * hidden * (1 - hidden), inputs).ravel()
cosine = shortcut @ exact / np.sqrt((shortcut @ shortcut) * (exact @ exact))
print(f"cosine between the talk's step and the exact one: {cosine:.4f}")
assert cosine > 0.99

with_cross_entropy, _ = find_gradients(network, network.forward(inputs), targets, loss="cross-entropy")
assert np.allclose(with_cross_entropy[0].ravel(), shortcut, atol=1e-6)

# %% [markdown]
# ## It learns XOR
#
# In lesson 3 we chose the weights for XOR by hand. Now let a network find them: two inputs, four hidden
# nodes, one output. It begins with small random weights, and goes down the slope of its error, step by step.
# After 5,000 steps all four answers are right.

# %%
questions = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
answers = np.array([[0], [1], [1], [0]], np.float32)
xor = initialise((2, 4, 1), np.random.default_rng(0), biases=True)
errors = []
for _ in range(5000):
    signals = xor.forward(questions)
    errors.append(LOSSES["squared-error"].measure(signals[-1], answers))
    weight_gradients, bias_gradients = find_gradients(xor, signals, answers, loss="squared-error")
    for parameter, gradient in zip(xor.parameters, [*weight_gradients, *bias_gradients], strict=True):
        parameter -= 3.0 * gradient

print("after 5,000 steps:", np.round(xor.query(questions)[:, 0], 2))
assert (np.rint(xor.query(questions)) == answers).all()

# %%
places = np.linspace(-0.5, 1.5, 101)
everywhere = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
said = xor.query(everywhere)[:, 0].reshape(101, 101)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained", width_ratios=(5, 4))
left.plot(errors, color=RED)
left.set(xlabel="step", ylabel="error function E", title="Down the hill ...", ylim=(0, None))
right.imshow(said, origin="lower", extent=(-0.5, 1.5, -0.5, 1.5), cmap="RdBu", vmin=-0.4, vmax=1.4)
right.contour(places, places, said, levels=[0.5], colors="black", linewidths=1.2)
for (one, two), label in zip(questions, answers[:, 0], strict=True):
    right.plot(one, two, "o", markersize=17, color=BLUE if label else RED)
    right.text(one, two, f"{label:g}", color="white", weight="bold", ha="center", va="center")
right.set(
    xlabel="input 1", ylabel="input 2", xticks=(0, 1), yticks=(0, 1), title="... to a network that knows XOR"
)
plt.show()

# %% [markdown]
# ## Ideas to keep
#
# 1. **Gradient descent** finds good weights by going down the slope of the error function, in small steps.
# 2. **The update rule** for a link: $\Delta w_{jk} = \alpha \cdot e_k \cdot o_k (1 - o_k) \cdot o_j$.
# 3. A derived formula is believed when it has been **checked against measured slopes**.
#
# That was all the mathematics. Next it becomes a program: [three functions](07_three_functions.py).
