# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1. The predicting machine
#
# A computer is given a question, it does some work, and it gives an answer. That is easy for it if we know
# how the work is done. Here we pretend that we do not.
#
# The question is a distance in kilometres. The answer should be the same distance in miles. All that we know
# is a few true examples, and that the two grow together: twice the kilometres are twice the miles. So we
# guess that the machine works like this:
#
# $$\text{miles} = c \times \text{kilometres}$$
#
# This is a **model**. It has one number that can be changed, the **parameter** $c$. We do not know $c$.
#
# *How to read these lessons: press Shift and Enter to run one cell after another. A line that begins with
# `assert` checks that what the text says is true; if it is not, the lesson stops there.*

# %%
import matplotlib.pyplot as plt
import numpy as np

truths = {0: 0, 100: 62.137}  # kilometres: miles


def predict(kilometres, c):
    return c * kilometres


# %% [markdown]
# ## Try something
#
# We have to begin somewhere. Let us try $c = 0.5$. The machine says that 100 km are 50 miles. The truth is
# 62.137. So the **error** is
#
# $$\text{error} = \text{truth} - \text{answer} = 62.137 - 50 = 12.137$$

# %%
answer = predict(100, c=0.5)
error = truths[100] - answer
print(f"c = 0.5: the machine says {answer:g} miles, the error is {error:.3f}")
assert answer == 50
assert round(error, 3) == 12.137

# %% [markdown]
# The error is not a reason to be sad. It is the most useful thing that we have: it tells us what to do next.
# The answer was too small, so $c$ must grow. We try $0.6$, and the error shrinks to 2.137. That was so good
# that we go on, to $0.7$. Now the error is $-7.863$: we went too far. This is called **overshooting**. So we
# go back a little from there, to $0.61$, and the error is only 1.137.

# %%
tries = [0.5, 0.6, 0.7, 0.61]
errors = [truths[100] - predict(100, c) for c in tries]
for c, error in zip(tries, errors, strict=True):
    print(f"c = {c:<4}  answer {predict(100, c):5.1f}  error {error:7.3f}")
assert np.round(errors, 3).tolist() == [12.137, 2.137, -7.863, 1.137]

# %%
kilometres = np.array([0, 120])
figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
for c, colour in zip(tries, ("#92c5de", "#4393c3", "#f4a582", "#2166ac"), strict=True):
    axes.plot(kilometres, predict(kilometres, c), color=colour, label=f"c = {c}")
axes.plot(list(truths), list(truths.values()), "k*", markersize=12, linestyle="none", label="the truth")
axes.set(xlabel="kilometres", ylabel="miles", title="Four tries at the machine's parameter", xlim=(-3, 120))
axes.legend()
plt.show()

# %% [markdown]
# ## Let the error do the work
#
# We moved $c$ by hand. A computer can do it: a large error should move $c$ far, a small one only a little. So
# we let it change $c$ by a small part of the error, again and again:
#
# $$c \leftarrow c + 0.002 \times \text{error}$$
#
# Near the answer the steps become small by themselves, and there is no overshooting.

# %%
c = 0.5
path = [c]
for _ in range(20):
    c += 0.002 * (truths[100] - predict(100, c))
    path.append(c)
print("c =", ", ".join(f"{c:.4f}" for c in path[:6]), "...", f"{path[-1]:.4f}")

errors = truths[100] - predict(100, np.array(path))
shrinks = errors[1:] / errors[:-1]
print(f"each error is {shrinks.mean():.2f} of the one before; the last is {errors[-1]:.2f} miles")
assert np.allclose(shrinks, 0.8)
assert errors[-1] < 0.2

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.plot(path, "o-", color="#2166ac")
left.axhline(0.62137, color="#888888", linestyle="--")
left.annotate("0.62137", (0, 0.62137), xytext=(0, -12), textcoords="offset points", color="#666666")
left.set(xlabel="step", ylabel="c", title="The parameter is refined ...")
right.plot(errors, "o-", color="#b2182b")
right.axhline(0, color="#888888", linestyle="--")
right.set(xlabel="step", ylabel="error in miles", title="... and the error shrinks")
for axes in (left, right):
    axes.set_xticks(range(0, 21, 5))
plt.show()

# %% [markdown]
# Each error is 0.8 times the one before it. After 20 steps it is less than 0.2 miles. The machine never
# learnt *why* there are so many miles in a kilometre, but it can now answer questions that it has never seen.
# A marathon has 42.195 kilometres, which are 26.2 miles:

# %%
marathon = predict(42.195, c)
print(f"a marathon: {marathon:.1f} miles, says the machine")
assert round(marathon, 1) == 26.2

# %% [markdown]
# ## Two ideas to keep
#
# 1. If we do not know how something works, we can try a **model with parameters that can be changed**.
# 2. We can **use the error to refine the parameters**, a little at a time.
#
# A neural network does nothing else. It only has many more parameters. Next: [garden
# bugs](02_garden_bugs.py).
