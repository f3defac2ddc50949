# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4. Signals forward: a network is two matrices
#
# A neural network has layers of nodes. Each node is linked to every node of the next layer, and each link has
# a **weight**. A signal goes along a link and is multiplied by its weight. A node adds up what arrives, and
# squashes the sum with the sigmoid of lesson 3.
#
# Here is the smallest network that is worth following: two layers of two nodes. The inputs are 1.0 and 0.5.

# %%
import matplotlib.pyplot as plt
import numpy as np

from shared.feedforward import FeedForward
from trainer.backpropagation import initialise
from trainer.blackboard import draw_network

W = np.array([[0.9, 0.3], [0.2, 0.8]])
figure, axes = plt.subplots(figsize=(5, 2.8), layout="constrained")
draw_network(axes, [W], ((1.0, 0.5), ("?", "?")), ("layer 1", "layer 2"))
plt.show()

# %% [markdown]
# ## By hand
#
# The upper node of layer 2 gets $1.0$ along a link of weight $0.9$, and $0.5$ along one of weight $0.3$:
#
# $$x = 1.0 \times 0.9 + 0.5 \times 0.3 = 1.05 \qquad o = \frac{1}{1 + e^{-1.05}} = 0.7408$$
#
# The lower node gets
#
# $$x = 1.0 \times 0.2 + 0.5 \times 0.8 = 0.6 \qquad o = \frac{1}{1 + e^{-0.6}} = 0.6457$$


# %%
def sigmoid(x):
    return 1 / (1 + np.exp(-x))


upper = 1.0 * 0.9 + 0.5 * 0.3
lower = 1.0 * 0.2 + 0.5 * 0.8
print(f"sums {upper:.2f} and {lower:.2f}, outputs {sigmoid(upper):.4f} and {sigmoid(lower):.4f}")
assert round(upper, 2) == 1.05
assert round(lower, 2) == 0.6
assert round(sigmoid(upper), 4) == 0.7408
assert round(sigmoid(lower), 4) == 0.6457

# %% [markdown]
# ## With a matrix
#
# That was easy, and it would be very dull for a hundred nodes. Mathematicians have a short way to write it.
# Put the weights into a table with **a row for each node of the next layer** and a column for each node of
# this layer:
#
# $$W \cdot I = \begin{pmatrix} 0.9 & 0.3 \\ 0.2 & 0.8 \end{pmatrix}
# \cdot \begin{pmatrix} 1.0 \\ 0.5 \end{pmatrix}
# = \begin{pmatrix} 0.9 \times 1.0 + 0.3 \times 0.5 \\ 0.2 \times 1.0 + 0.8 \times 0.5 \end{pmatrix}
# = \begin{pmatrix} 1.05 \\ 0.6 \end{pmatrix} = X$$
#
# This is **matrix multiplication**: each row of the matrix meets the column of inputs. It is just what we did
# by hand. So a whole layer is
#
# $$X = W \cdot I \qquad O = \text{sigmoid}(X)$$
#
# however many nodes there are. `W[j, i]` is the weight of the link from node `i` to node `j` of the next
# layer. The project keeps all its matrices that way, and `FeedForward.query` does nothing else than these two
# formulas.

# %%
inputs = np.array([1.0, 0.5])
assert np.allclose(W @ inputs, [1.05, 0.6])  # @ is Python's matrix multiplication

network = FeedForward([W])
outputs = network.query(inputs)
print("the project's network says", np.round(outputs, 4))
assert np.allclose(outputs, [0.7408, 0.6457], atol=0.0001)

# %% [markdown]
# ## Three layers
#
# Most networks have a layer in the middle that is neither input nor output: the **hidden layer**. Then there
# are two matrices, one from the input to the hidden layer and one from the hidden to the output layer. What
# comes out of the hidden layer goes into the output layer, in the same way.
#
# $$X_{\text{hidden}} = W_{\text{input hidden}} \cdot I
# \qquad O_{\text{hidden}} = \text{sigmoid}(X_{\text{hidden}})$$
# $$X_{\text{output}} = W_{\text{hidden output}} \cdot O_{\text{hidden}}
# \qquad O_{\text{output}} = \text{sigmoid}(X_{\text{output}})$$
#
# The talk follows the inputs 0.9, 0.1 and 0.8. The hidden layer's sums are 1.16, 0.42 and 0.62, and it says
# 0.761, 0.603 and 0.650. The output layer's sums are 0.976, 0.889 and 1.255, and it says 0.726, 0.709 and
# 0.778. (The talk has sums of 0.975, 0.888 and 1.254, because it goes on with the hidden layer's signals as
# they are written here.)

# %%
W_input_hidden = np.array([[0.9, 0.3, 0.4], [0.2, 0.8, 0.2], [0.1, 0.5, 0.6]])
W_hidden_output = np.array([[0.3, 0.7, 0.5], [0.6, 0.5, 0.2], [0.8, 0.1, 0.9]])
network = FeedForward([W_input_hidden, W_hidden_output])
signals = network.forward([0.9, 0.1, 0.8])  # what comes out of every layer; query gives only the last

hidden_sums = W_input_hidden @ signals[0]
output_sums = W_hidden_output @ signals[1]
print("hidden sums   ", np.round(hidden_sums, 3))
print("hidden signals", np.round(signals[1], 3))
print("output sums   ", np.round(output_sums, 3))
print("outputs       ", np.round(signals[2], 3))
assert np.allclose(hidden_sums, [1.16, 0.42, 0.62], atol=0.0005)
assert np.allclose(signals[1], [0.761, 0.603, 0.650], atol=0.0005)
assert np.allclose(output_sums, [0.976, 0.889, 1.255], atol=0.0005)
assert np.allclose(signals[2], [0.726, 0.709, 0.778], atol=0.0005)
assert np.allclose(W_hidden_output @ [0.761, 0.603, 0.650], [0.975, 0.888, 1.254], atol=0.0005)

figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
names = ("input layer", "hidden layer", "output layer")
draw_network(axes, network.weights, [np.round(layer, 3).tolist() for layer in signals], names)
plt.show()

# %% [markdown]
# ## Any size, and many at once
#
# The same two lines of mathematics run the network that will read digits, with 784 input nodes, 200 hidden
# nodes and 10 output nodes. It has $200 \times 784 + 10 \times 200 = 158800$ links. And they take many inputs
# at once: give `query` a table with an input in each row, and it gives a table with an output in each row.

# %%
digit_reader = initialise((784, 200, 10), np.random.default_rng(0))
links = sum(matrix.size for matrix in digit_reader.weights)
print("matrices", [matrix.shape for matrix in digit_reader.weights], f"with {links:,} links")
assert links == 158_800

many = np.random.default_rng(1).random((5, 784))
print("5 inputs in, table of outputs:", digit_reader.query(many).shape)
assert digit_reader.query(many).shape == (5, 10)
assert np.allclose(digit_reader.query(many)[3], digit_reader.query(many[3]), atol=1e-5)

# %% [markdown]
# ## Ideas to keep
#
# 1. Signals forward through a layer are **one matrix multiplication and one sigmoid**: $O = \text{sigmoid}(W
#    \cdot I)$.
# 2. All that a network knows is in its **link weights**. The rest is the same for every network.
#
# Nothing is learnt yet. The first question for learning is: if an output is wrong, whose fault is it?
# [Splitting the error](05_splitting_the_error.py)
