# %% [markdown]
# # 13. Resilience: cut links, noisy signals
#
# The talk says that brains are resilient. A computer program with one wrong instruction may do nothing right at all. A brain
# loses cells every day, its signals are noisy, and it goes on working, only a little worse. Is that so for our network, which
# was made after the brain's pattern? We do not have to believe it. We can measure it.

# %%
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
    return {value: Row(value, tuple(found), SEEDS) for value, found in zip(values, measured.tolist(), strict=True)}


# %% [markdown]
# ## Cutting links
#
# We train the network on 20,000 pictures. Then links are cut, chosen by chance: their weights become 0. Nothing is learnt
# anew. We do it with a tenth of all links, with two tenths, and so on.

# %%
damage = put_through("damage", (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9))
for share, row in damage.items():
    print(f"{share:4.0%} of the links cut: {row.mean:.1%} read right")
plot_experiment(EXPERIMENTS["damage"], list(damage.values()), "784-200-10, 20,000 pictures, 2 seeds")
