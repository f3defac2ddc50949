# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7. A network in three functions
#
# The talk's neural network is a Python class with three functions:
#
# - **initialise**: how many nodes are in each layer, and random link weights to begin with;
# - **train**: learn from one example;
# - **query**: give an answer.
#
# The project has all three already, and all of lessons 4 to 6 is in them. So we can put the talk's class
# together from the project's parts. Each function is a line or a few. (`find_gradients` uses cross-entropy if
# nothing else is asked for. By that the errors go back just as in the talk, $W^T \cdot e$; see the end of
# lesson 6.)

# %%
# %matplotlib inline
import time

import matplotlib.pyplot as plt
import numpy as np

from shared.digit_image import to_inputs
from shared.feedforward import FeedForward
from trainer.backpropagation import find_gradients, initialise, make_targets
from trainer.blackboard import BLUE, RED, plot_pictures
from trainer.datasets import Dataset, load_mnist
from trainer.evaluation import measure_accuracy
from trainer.mnist import find_data_directory
from trainer.settings import Settings
from trainer.training import train


class NeuralNetwork:
    def __init__(self, input_nodes, hidden_nodes, output_nodes, learning_rate, seed=0):
        self.network = initialise((input_nodes, hidden_nodes, output_nodes), np.random.default_rng(seed))
        self.learning_rate = learning_rate

    def train(self, inputs, targets):
        signals = self.network.forward(inputs)  # lesson 4: signals forward
        gradients, _ = find_gradients(self.network, signals, targets)  # lesson 5: errors back
        for weights, gradient in zip(self.network.weights, gradients, strict=True):
            weights -= np.float32(self.learning_rate) * gradient  # lesson 6: down the slope

    def query(self, inputs):
        return self.network.query(inputs)


# %% [markdown]
# ## Initialise: small and random
#
# Why random? If all weights were alike, all hidden nodes would say the same, get the same share of the error,
# and stay alike for ever. Why small? A node with a large sum is at the flat end of its sigmoid, where the
# slope is nearly zero and nothing is learnt. The talk's rule: draw them from a normal distribution whose
# width is
#
# $$\frac{1}{\sqrt{\text{links into a node}}}$$
#
# With 784 links into each hidden node that is $1/28 = 0.0357$. Then the sums stay around $\pm 1$, where the
# sigmoid is steep. With weights of width 1 nearly all hidden nodes would be stuck.

# %%
machine = NeuralNetwork(784, 100, 10, learning_rate=0.3)  # as the talk begins
width = machine.network.weights[0].std()
print(f"width of the weights into the hidden layer: {width:.4f}")
assert round(1 / 784**0.5, 4) == 0.0357
assert abs(width - 1 / 28) < 0.0005

mnist = load_mnist(find_data_directory(), test=False)
tests = load_mnist(find_data_directory(), test=True)
inputs = to_inputs(
    mnist.images[:1000] / np.float32(255)
)  # 784 numbers a picture, 0.01 to 1; lesson 8 has more

small = machine.network
large = FeedForward([weights * 28 for weights in small.weights])
figure, grid = plt.subplots(1, 2, figsize=(8.5, 3), layout="constrained", sharey=True)
stuck = {}
for axes, network, name in zip(grid, (small, large), ("width 1/28", "width 1"), strict=True):
    hidden = network.forward(inputs)[1]
    stuck[name] = ((hidden < 0.02) | (hidden > 0.98)).mean()
    print(f"{name}: {stuck[name]:.0%} of the hidden signals are below 0.02 or above 0.98")
    axes.hist(hidden.ravel(), bins=50, range=(0, 1), color=BLUE if network is small else RED)
    axes.set(title=f"weights of {name}", xlabel="what hidden nodes say", yscale="log")
grid[0].set_ylabel("how often")
plt.show()
assert stuck["width 1/28"] < 0.01
assert stuck["width 1"] > 0.5

# %% [markdown]
# ## Query: before it has learnt anything
#
# We ask the new network what these ten pictures are. It guesses: about one in ten is right.

# %%
before = measure_accuracy(machine.network, tests)
said = machine.query(inputs[:10]).argmax(axis=1)
print(f"before training it reads {before:.1%} of the test pictures right")
assert 0.02 < before < 0.25
plot_pictures(mnist.images[:10], [f"says {digit}" for digit in said], title="Untrained")

# %% [markdown]
# ## Train: one picture at a time
#
# The talk's first experiment trains with only 100 pictures, with 100 hidden nodes and a learning rate of 0.3.
# Its author got 6 of 10 test pictures right. Here it is about half of all 10,000. From 100 pictures!
#
# Then we go on, one picture after the other, to 8,000, and look from time to time how well it reads 1,000
# test pictures. In the end it reads about nine in ten.

# %%
inputs = to_inputs(mnist.images[:8000] / np.float32(255))
targets = make_targets(mnist.labels[:8000])  # 0.99 for the right digit, 0.01 for all others
few_tests = to_inputs(tests.images[:1000] / np.float32(255))
counts, accuracies, seconds = [], [], 0.0

for begin in range(0, 8000, 100):
    begun = time.process_time()
    for picture in range(begin, begin + 100):
        machine.train(inputs[picture : picture + 1], targets[picture : picture + 1])
    seconds += time.process_time() - begun
    if not begin:
        after_hundred = measure_accuracy(machine.network, tests)
    counts.append(begin + 100)
    accuracies.append((machine.query(few_tests).argmax(axis=1) == tests.labels[:1000]).mean())
after_all = measure_accuracy(machine.network, tests)
print(f"after 100 pictures it reads {after_hundred:.1%} of the 10,000 test pictures right")
print(f"after 8,000 pictures {after_all:.1%}")
assert 0.4 < after_hundred < 0.65
assert 0.88 < after_all < 0.94

figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
axes.plot([0, *counts], [100 * before, *(100 * one for one in accuracies)], color=BLUE)
axes.set(xlabel="pictures learnt from", ylabel="% of test pictures read right", ylim=(0, 100))
axes.set_title("Learning, a picture at a time")
axes.grid(color="#dddddd")
plt.show()

# %%
said = machine.query(inputs[:10]).argmax(axis=1)
plot_pictures(mnist.images[:10], [f"says {digit}" for digit in said], title="Trained")

# %% [markdown]
# ## Many pictures at a time
#
# The talk's way is the plainest, but not the quickest. Lesson 4 has shown that the same matrices take many
# inputs at once. The project's `train` takes 100 pictures together, a **mini-batch**, and makes one step for
# all of them. Here both learn from the same 8,000 pictures.

# %%
outcome = train(
    Dataset("8,000 pictures", mnist.images[:8000], mnist.labels[:8000]), Settings((100,), epochs=2)
)
in_batches = measure_accuracy(outcome.network, tests)
alone, together = 1e6 * seconds / 8000, 1e6 * outcome.cpu_seconds / (2 * 8000)
print(f"a picture at a time: {alone:4.0f} microseconds a picture, {after_all:.1%} right")
print(f"a hundred at a time: {together:4.0f} microseconds a picture, {in_batches:.1%} right after 2 epochs")
assert 0.88 < in_batches < 0.96

# %% [markdown]
# ## Ideas to keep
#
# 1. A neural network needs three functions: **initialise, train, query**.
# 2. Link weights begin **small and random**, with a width of one over the root of the links into a node.
# 3. Pictures in **mini-batches** teach the same, and faster.
#
# Next it gets all 60,000 pictures: [handwritten digits](08_handwritten_digits.py).
