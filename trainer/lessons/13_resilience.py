# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 13. Resilience: cut links, noisy signals
#
# The talk says that brains are resilient. A computer program with one wrong instruction may do nothing right
# at all. A brain loses cells every day, its signals are noisy, and it goes on working, only a little worse.
# Is that so for our network, which was made after the brain's pattern? We do not have to believe it. We can
# measure it.

# %%
# %matplotlib inline
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from trainer.blackboard import BLUE, RED, plot_pictures
from trainer.datasets import load_mnist
from trainer.experiment_results import plot_experiment
from trainer.experiments import EXPERIMENTS, run_trial
from trainer.mnist import find_data_directory
from trainer.presets import PRESETS
from trainer.trials import Row

mnist = load_mnist(find_data_directory(), test=False)
tests = load_mnist(find_data_directory(), test=True)
PICTURES, SEEDS = 20_000, 2
usual = replace(PRESETS["talk"].recipe, epochs=3)


def put_through(name, values, settings=usual):
    """Train a network for each seed, disturb it by each value, and measure how well it still reads."""
    trials = EXPERIMENTS[name].plan(SEEDS, PICTURES, settings, values)
    data = (mnist.images, mnist.labels), (tests.images, tests.labels)
    measured = np.transpose([run_trial(trial, *data) for trial in trials])
    return {
        value: Row(value, tuple(found), SEEDS) for value, found in zip(values, measured.tolist(), strict=True)
    }


# %% [markdown]
# ## Cutting links
#
# We train the network on 20,000 pictures. Then links are cut, chosen by chance: their weights become 0.
# Nothing is learnt anew. We do it with a tenth of all links, with two tenths, and so on.

# %%
damage = put_through("damage", (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9))
for share, row in damage.items():
    print(f"{share:4.0%} of the links cut: {row.mean:.1%} read right")
plot_experiment(EXPERIMENTS["damage"], list(damage.values()), "784-200-10, 20,000 pictures, 2 seeds")

# %% [markdown]
# With a tenth of its links cut, 15,880 of 158,800, the network loses less than 2 % of its accuracy. With
# three tenths cut it still reads more than 80 % right. There is no link whose loss is the end. Only where
# more than half is gone does it fall apart, and even then it does so bit by bit.

# %%
assert round(0.1 * (784 * 200 + 200 * 10)) == 15_880
assert damage[0].mean - damage[0.1].mean < 0.02
assert damage[0.3].mean > 0.8
assert damage[0.9].mean < 0.5

# %% [markdown]
# ## Why? Because many nodes share the work
#
# If so, a network with fewer hidden nodes should bear less. We do the same with 20 hidden nodes in place of
# 200.

# %%
small_damage = put_through("damage", tuple(damage), replace(usual, hidden=(20,)))
figure, axes = plt.subplots(figsize=(6.8, 4), layout="constrained")
for rows, name, colour in ((damage, "200 hidden nodes", BLUE), (small_damage, "20 hidden nodes", RED)):
    axes.plot(
        [100 * share for share in rows],
        [100 * row.mean for row in rows.values()],
        "o-",
        color=colour,
        label=name,
    )
axes.axhline(10, color="#666666", linestyle="--", linewidth=1)
axes.annotate("guessing", (0, 10), xytext=(0, 3), textcoords="offset points")
axes.set(xlabel="% of the links cut", ylabel="% read right", ylim=(0, 101), title="Many nodes bear more")
axes.grid(color="#dddddd")
axes.legend()
plt.show()
for share in (0, 0.2):
    print(f"{share:.0%} cut: {damage[share].mean:.1%} with 200 nodes, {small_damage[share].mean:.1%} with 20")
assert damage[0].mean - damage[0.2].mean < (small_damage[0].mean - small_damage[0.2].mean) / 2

# %% [markdown]
# ## Noisy signals
#
# In a brain no signal is exact. So we add noise to every signal, out of the input nodes and out of the hidden
# nodes: a random number from a normal distribution, anew for each picture. Its standard deviation goes from 0
# to 1, and remember that signals only reach from 0 to 1. This is what it does to the inputs:

# %%
random = np.random.default_rng(0)
levels = (0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
nine = mnist.images[4] / np.float32(255)
plot_pictures(
    np.stack([nine + level * random.standard_normal(nine.shape) for level in levels]),
    [f"{level:g}" for level in levels],
)

# %%
noise = put_through("noise", levels)
for level, row in noise.items():
    print(f"noise {level:g}: {row.mean:.1%} read right")
plot_experiment(EXPERIMENTS["noise"], list(noise.values()), "784-200-10, 20,000 pictures, 2 seeds")

# %% [markdown]
# A noise of 0.2, a fifth of the whole range of a signal, costs less than 3 % of the accuracy. At 0.4 it still
# reads about 85 % right. Each node adds up hundreds of signals, and in the sum the noise of one cancels that
# of another.
#
# So the talk's claim holds for this network: **it is resilient**. It does not break, it fades. And nobody
# built that in: it comes of sharing the work among many simple nodes.
#
# It has its limits, though. The network bears noise and damage that are spread evenly. What it never learnt
# to bear, such as a picture moved by a few pixels, can hurt it much more: lesson 11.

# %%
assert noise[0].mean - noise[0.2].mean < 0.03
assert 0.8 < noise[0.4].mean < 0.9

# %% [markdown]
# ## Ideas to keep
#
# 1. What a network knows is **spread over all its links**. It fades with damage, it does not break.
# 2. More hidden nodes make it more resilient, even where they do not make it more accurate.
# 3. A claim is worth more when it has been **measured**.
#
# And last, out of the laptop: [on to the Pi Zero](14_pi_zero.py).
