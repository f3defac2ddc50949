# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2. Garden bugs
#
# Caterpillars are thin and long. Ladybirds are wide and short. We measure two of them, in millimetres or
# whatever you like:
#
# | bug | width | length |
# | --- | --- | --- |
# | ladybird | 3.0 | 1.0 |
# | caterpillar | 1.0 | 3.0 |
#
# Now a machine is to say of any bug which of the two it is. This is **classifying**. Lesson 1's machine was a
# straight line, $\text{miles} = c \times \text{kilometres}$. The same kind of line can be used to *part*
# things:
#
# $$y = A x$$
#
# with the width $x$ and the length $y$. Bugs above the line are caterpillars, bugs below it are ladybirds.
# Its parameter is the slope $A$, and we begin with any: $A = 0.25$.

# %%
import matplotlib.pyplot as plt
import numpy as np

GREEN, RED = "#1a9850", "#b2182b"
STYLES = ("dotted", "dashed", "solid")  # of the lines, the last one solid
widths, lengths = np.array([3.0, 1.0]), np.array([1.0, 3.0])
is_caterpillar = np.array([False, True])


def draw_bugs(axes, widths, lengths, is_caterpillar, slopes):
    for kind, colour, name in ((True, GREEN, "caterpillars"), (False, RED, "ladybirds")):
        of_kind = is_caterpillar == kind
        axes.plot(widths[of_kind], lengths[of_kind], "o", color=colour, label=name, markersize=7)
    for (name, slope), style in zip(slopes.items(), STYLES[-len(slopes) :], strict=True):
        axes.axline((0, 0), slope=slope, color="#2166ac", linestyle=style, label=name)
    axes.set(xlim=(0, 4), ylim=(0, 4), xlabel="width", ylabel="length", aspect="equal")
    axes.legend(loc="center right")


figure, axes = plt.subplots(figsize=(4.6, 4.6), layout="constrained")
draw_bugs(axes, widths, lengths, is_caterpillar, {"A = 0.25": 0.25})
axes.set_title("A first line: it parts nothing")
plt.show()

# %% [markdown]
# ## Learning from one bug
#
# The line is wrong: both bugs are above it. Where should it go? At the ladybird's width of 3.0 the line says
# $0.25 \times 3.0 = 0.75$. It should go a little above the ladybird, say through 1.1. So the error is
#
# $$E = 1.1 - 0.75 = 0.35$$
#
# How must the slope change to put this right? With a slope $A + \Delta A$ the line should hit the target $t$
# exactly:
#
# $$t = (A + \Delta A)\, x \qquad\Rightarrow\qquad E = t - A x = \Delta A \cdot x
#   \qquad\Rightarrow\qquad \Delta A = \frac{E}{x}$$
#
# So $\Delta A = 0.35 / 3.0 = 0.1167$, and the new slope is 0.3667. Then the same with the caterpillar, which
# should be a little above the line: at its width of 1.0 the line should go through 2.9. The slope becomes
# 2.9.

# %%
MARGIN = 0.1  # how far beside a bug the line should go


def aim(length, is_caterpillar):
    return length - MARGIN if is_caterpillar else length + MARGIN


def learn(slope, widths, lengths, is_caterpillar, rate):
    """The slope after each bug; `rate` is explained below."""
    slopes = []
    for width, length, kind in zip(widths, lengths, is_caterpillar, strict=True):
        error = aim(length, kind) - slope * width
        slope += rate * error / width
        slopes.append(float(slope))
    return slopes


after_ladybird, after_caterpillar = learn(0.25, widths, lengths, is_caterpillar, rate=1.0)
print(f"after the ladybird    A = {after_ladybird:.4f}")
print(f"after the caterpillar A = {after_caterpillar:.4f}")
assert round(after_ladybird, 4) == 0.3667
assert round(after_caterpillar, 4) == 2.9

# %% [markdown]
# ## Why learning is moderated
#
# Look at what has happened. The slope of 2.9 is what the *last* bug asked for. It would be 2.9 if the
# ladybird had never been there: each example throws away all that was learnt before it.
#
# The cure is simple, and it is one of the great ideas of learning machines: **take only a part of each
# step.** With a **learning rate** $L$,
#
# $$\Delta A = L \, \frac{E}{x}$$
#
# With $L = 0.5$ the slope becomes 0.3083, then 1.6042. Now both bugs have had a say.

# %%
without_first = learn(0.25, widths[1:], lengths[1:], is_caterpillar[1:], rate=1.0)
assert np.isclose(without_first[-1], after_caterpillar)  # the ladybird made no difference

moderated = learn(0.25, widths, lengths, is_caterpillar, rate=0.5)
print("moderated: A =", ", ".join(f"{slope:.4f}" for slope in moderated))
assert np.round(moderated, 4).tolist() == [0.3083, 1.6042]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
slopes = {"first": 0.25, "after the ladybird": after_ladybird, "after the caterpillar": after_caterpillar}
draw_bugs(left, widths, lengths, is_caterpillar, slopes)
left.set_title("Not moderated: the last bug decides")
slopes = {"first": 0.25, "after the ladybird": moderated[0], "after the caterpillar": moderated[1]}
draw_bugs(right, widths, lengths, is_caterpillar, slopes)
right.set_title("Moderated, L = 0.5: both have a say")
plt.show()

# %% [markdown]
# ## A gardenful of bugs, and one mistake
#
# Real examples are noisy, and some are plainly wrong. Here are forty bugs. For the last of them somebody
# mixed up width and length: a ladybird that looks like a caterpillar. Without moderation this one mistake
# decides where the line goes. With $L = 0.05$ it is hardly noticed.

# %%
random = np.random.default_rng(5)
kinds = np.arange(40) % 2 == 0
thin, thick = random.normal(1.0, 0.2, 40), random.normal(3.0, 0.35, 40)
many_widths, many_lengths = np.where(kinds, thin, thick), np.where(kinds, thick, thin)
many_widths[-1], many_lengths[-1] = 0.7, 3.3  # the mistake

figure, grid = plt.subplots(1, 2, figsize=(9, 4.8), layout="constrained")
wrong = {}
for axes, rate in zip(grid, (1.0, 0.05), strict=True):
    slope = learn(0.25, many_widths, many_lengths, kinds, rate)[-1]
    says_caterpillar = many_lengths > slope * many_widths
    wrong[rate] = int((says_caterpillar != kinds)[:-1].sum())  # the mistake itself is not counted
    print(f"L = {rate}: A = {slope:.2f}, and {wrong[rate]} of 39 bugs are on the wrong side")
    draw_bugs(axes, many_widths, many_lengths, kinds, {f"A = {slope:.2f}": slope})
    axes.plot(0.7, 3.3, "o", markersize=15, fillstyle="none", color="black")
    axes.set_title(f"L = {rate}: {wrong[rate]} of 39 on the wrong side")
grid[0].annotate("the mistake", (0.7, 3.3), xytext=(1.1, 3.6), arrowprops={"arrowstyle": "-"})
plt.show()
assert wrong[1.0] > 10
assert wrong[0.05] == 0

# %% [markdown]
# ## Ideas to keep
#
# 1. A line can **classify**: this side or that side.
# 2. Its parameter is learnt from examples, with the error, as in lesson 1.
# 3. **Learning is moderated.** A learning rate below 1 keeps what earlier examples taught, and is not thrown
#    about by mistakes and noise in the examples.
#
# Next: [can one line part everything?](03_and_or_xor.py)
