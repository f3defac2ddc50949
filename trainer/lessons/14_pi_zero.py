# %% [markdown]
# # 14. On to the Pi Zero
#
# The talk ends with a surprise: all of this runs on a Raspberry Pi Zero, a computer that costs little more than this
# book's price in coffee. Here is how the project does it. The laptop trains, the Pi only queries. Between them goes one
# file: the weights.

# %%
