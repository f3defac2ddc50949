# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 9. Experiments: hidden nodes, learning rate, epochs
#
# Three numbers were simply chosen in lesson 8: 200 hidden nodes, a learning rate, 5 epochs. Are they good?
# There is no formula for it. We try, as the talk does.
#
# To be quick, we learn from 5,000 pictures in place of 60,000, so all accuracies are lower than lesson 8's.
# Each setting is tried with three *seeds*, from which all random numbers come: the first weights, and which
# 5,000 pictures are taken. For **chance matters**. Trained with another seed the same network does not read
# equally well, and we must not take luck for a good idea.

# %%
# %matplotlib inline
from dataclasses import replace

from trainer.datasets import load_mnist
from trainer.experiment_results import plot_experiment
from trainer.experiments import EXPERIMENTS, run_trial
from trainer.mnist import find_data_directory
from trainer.presets import PRESETS
from trainer.trials import Row

mnist = load_mnist(find_data_directory(), test=False)
tests = load_mnist(find_data_directory(), test=True)
PICTURES, SEEDS = 5000, 3
usual = replace(PRESETS["talk"].recipe, epochs=3)


def experiment(name, values, settings=usual):
    """Try each value with each seed; the rows of the table."""
    accuracies = {value: [] for value in values}
    for trial in EXPERIMENTS[name].plan(SEEDS, PICTURES, settings, values):
        measured = run_trial(trial, (mnist.images, mnist.labels), (tests.images, tests.labels))
        for value, accuracy in zip(trial.values, measured, strict=True):
            accuracies[value].append(accuracy)
    for value, found in accuracies.items():
        print(f"{value:>6g}: {', '.join(f'{accuracy:.1%}' for accuracy in found)}")
    return {value: Row(value, tuple(found), SEEDS) for value, found in accuracies.items()}


# %% [markdown]
# ## How many hidden nodes?
#
# The hidden layer is where the learning happens. With very few nodes there is no room for what there is to
# learn. More are better, but each doubling brings less than the one before, and costs more time.

# %%
hidden = experiment("hidden-nodes", (5, 10, 20, 50, 100, 200))
assert hidden[5].mean < 0.8
assert hidden[200].mean > 0.9
gains = [hidden[2 * nodes].mean - hidden[nodes].mean for nodes in (5, 10, 50, 100)]
assert gains == sorted(gains, reverse=True)
plot_experiment(EXPERIMENTS["hidden-nodes"], list(hidden.values()), "5,000 pictures, 3 epochs, 3 seeds")

# %% [markdown]
# ## How long a step?
#
# With a small learning rate the network crawls: after three epochs it has not got far. With a very large one
# each step goes too far, and destroys what was learnt. In between there is a broad **sweet spot**. The talk
# found the same, at other numbers: its steps are for one picture at a time, ours for a hundred together.

# %%
rates = experiment("learning-rate", (0.03, 0.1, 0.3, 1, 3, 10, 30))
best = max(rates, key=lambda rate: rates[rate].mean)
print(f"best here: {best}")
assert 1 <= best <= 10
assert rates[0.03].mean < rates[best].mean - 0.05
assert rates[30].mean < rates[best].mean
plot_experiment(EXPERIMENTS["learning-rate"], list(rates.values()), "5,000 pictures, 3 epochs, 3 seeds")

# %% [markdown]
# ## How many epochs?
#
# Seeing every picture a second time helps much. Seeing it for the tenth time helps little. Each epoch costs
# the same time.

# %%
epochs = experiment("epochs", (1, 2, 4, 8, 16))
assert epochs[2].mean > epochs[1].mean
assert abs(epochs[16].mean - epochs[8].mean) < epochs[2].mean - epochs[1].mean
plot_experiment(EXPERIMENTS["epochs"], list(epochs.values()), "5,000 pictures, 3 seeds")

# %% [markdown]
# ## How much is chance?
#
# Look at the three numbers behind each value. They differ although nothing was changed but the seed. So an
# idea that makes the network better by less than that may be no better at all.

# %%
spreads = [
    100 * (max(row.accuracies) - min(row.accuracies)) for row in (hidden[200], rates[1], *epochs.values())
]
print("between the best and the worst seed, in per cent:", ", ".join(f"{spread:.2f}" for spread in spreads))
assert max(spreads) > 0

# %% [markdown]
# ## Ideas to keep
#
# 1. There is no formula for the number of hidden nodes, the learning rate or the epochs: **experiment**.
# 2. Too little is bad, too much is of no use or worse, and in between it does not matter very much.
# 3. Try each thing **more than once**, or chance decides.
#
# `inkling-trainer experiment` does such experiments with all pictures. Next, a trick that helps where
# these numbers help no more: [rotations](10_rotations.py).
