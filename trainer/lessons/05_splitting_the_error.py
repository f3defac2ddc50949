# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5. Splitting the error back
#
# In lesson 1 there was one parameter, and the error told it where to go. In a network many links have a part
# in one output. If the output is wrong, who is to blame?
#
# Not all alike. A link with a large weight brought much of the signal, so it has much of the error to answer
# for. We **split the error in proportion to the weights**.

# %%
import matplotlib.pyplot as plt
import numpy as np

from shared.feedforward import FeedForward
from trainer.backpropagation import find_gradients
from trainer.blackboard import draw_network

# %% [markdown]
# ## One output node
#
# Two links, of weights 3 and 1, lead into an output node. Its error is 1. Then the first link gets three
# quarters of the error, and the second gets one quarter:
#
# $$e \cdot \frac{w_1}{w_1 + w_2} = \frac{3}{3 + 1} = 0.75
# \qquad e \cdot \frac{w_2}{w_1 + w_2} = \frac{1}{3 + 1} = 0.25$$

# %%
w = np.array([[3.0, 1.0]])
shares = 1.0 * w[0] / w[0].sum()
assert shares.tolist() == [0.75, 0.25]

figure, axes = plt.subplots(figsize=(5, 2.8), layout="constrained")
draw_network(axes, [w], (shares.tolist(), ("e = 1",)), ("their share", "the error"), backwards=True)
plt.show()

# %% [markdown]
# ## Two output nodes, and a hidden layer's error
#
# The training examples tell us what the *output* nodes should say. Nobody tells us what the *hidden* nodes
# should say. So what is a hidden node's error? It is **the sum of the shares that come back to it** through
# all its links.
#
# The talk's example: errors of 0.8 and 0.5 at the output nodes. The upper hidden node has links of weights 2
# and 1, the lower one has links of weights 3 and 4.
#
# $$e_{\text{hidden}, 1} = 0.8 \times \frac{2}{2 + 3} + 0.5 \times \frac{1}{1 + 4} = 0.32 + 0.1 = 0.42$$
# $$e_{\text{hidden}, 2} = 0.8 \times \frac{3}{2 + 3} + 0.5 \times \frac{4}{1 + 4} = 0.48 + 0.4 = 0.88$$
#
# Nothing is lost on the way: $0.42 + 0.88 = 1.3 = 0.8 + 0.5$.

# %%
W = np.array([[2.0, 3.0], [1.0, 4.0]])  # a row for each output node, a column for each hidden node
e = np.array([0.8, 0.5])

split = (W / W.sum(axis=1, keepdims=True)).T @ e
print("hidden errors", np.round(split, 3))
assert np.allclose(split, [0.42, 0.88])
assert np.isclose(split.sum(), e.sum())

figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
draw_network(
    axes, [W], (np.round(split, 3).tolist(), e.tolist()), ("hidden errors", "output errors"), backwards=True
)
plt.show()

# %% [markdown]
# And so on, as far back as there are layers. If the links into these hidden nodes have weights 3 and 2, and 1
# and 7, the input nodes get 0.362 and 0.938.

# %%
further = np.array([[3.0, 2.0], [1.0, 7.0]])
at_inputs = (further / further.sum(axis=1, keepdims=True)).T @ split
print("errors at the input nodes", np.round(at_inputs, 3))
assert np.allclose(at_inputs, [0.362, 0.938])

# %% [markdown]
# ## With a matrix: $W^T \cdot e$
#
# Can this be one matrix multiplication, as the way forward is? The fractions are in the way. But look at what
# they do: $\frac{2}{2+3}$ and $\frac{3}{2+3}$ have the same thing below the line. It only makes all shares
# from one output node larger or smaller together. What matters is the weight above the line. So the talk
# leaves the fractions out:
#
# $$e_{\text{hidden}} = \begin{pmatrix} 2 & 1 \\ 3 & 4 \end{pmatrix}
# \cdot \begin{pmatrix} 0.8 \\ 0.5 \end{pmatrix}
# = \begin{pmatrix} 2.1 \\ 4.4 \end{pmatrix}$$
#
# Forward, the weights were in the matrix $W$, with a row for each output node. Backward its rows and columns
# are swapped: there is a row for each hidden node. That is called the **transpose**, $W^T$. So, back through
# any layer,
#
# $$e_{\text{hidden}} = W^T \cdot e_{\text{output}}$$
#
# The errors are larger now: here just five times as large, because both sums below the line were 5. That is
# no harm. The learning rate will moderate the step anyway.
#
# There is another reason to leave the fractions out. Weights may be negative. Split an error of 1 between
# weights of 2 and $-1.9$ by fractions, and the shares are 20 and $-19$: a small error is blown up, only
# because the sum happens to be small.

# %%
hidden_errors = W.T @ e
print("W^T . e =", np.round(hidden_errors, 3))
assert np.allclose(hidden_errors, [2.1, 4.4])
assert np.allclose(hidden_errors, 5 * split)

with_negative = np.array([2.0, -1.9])
print("shares by fractions:", np.round(with_negative / with_negative.sum(), 3))
assert np.allclose(with_negative / with_negative.sum(), [20, -19])

# %% [markdown]
# ## This is in the project's own code
#
# `trainer.backpropagation.find_gradients` sends errors back with the line `errors = errors @
# network.weights[index]`. The rows of its tables are pictures, so it is $e \cdot W$ there, which is $W^T
# \cdot e$ lying on its side.
#
# We can see it at work. We make a network with these weights, and choose the targets so that the errors of
# its outputs are just 0.8 and 0.5. What it finds for the links into the hidden nodes must be made of 2.1 and
# 4.4. (Each is times the slope of the hidden node's sigmoid, and times the input, which is 1 here. The next
# lesson shows where these come from. The minus is there because the error was $\text{target} -
# \text{output}$.)

# %%
network = FeedForward([[[0.5], [-0.3]], W])  # one input node, two hidden nodes, two output nodes
signals = network.forward(np.array([[1.0]]))
targets = signals[-1] + np.array([e], np.float32)
gradients, _ = find_gradients(network, signals, targets, loss="cross-entropy")

hidden = signals[1][0]
sent_back = -gradients[0][:, 0] / (hidden * (1 - hidden))
print("errors that came back to the hidden nodes:", np.round(sent_back, 3))
assert np.allclose(sent_back, [2.1, 4.4], atol=0.001)

# %% [markdown]
# ## Ideas to keep
#
# 1. **Errors go back through the links, split by their weights.** This is **backpropagation**.
# 2. In matrices it is as short as the way forward: $e_{\text{hidden}} = W^T \cdot e_{\text{output}}$.
#
# Now every node has an error. The next question is how each link should change: [gradient
# descent](06_gradient_descent.py).
