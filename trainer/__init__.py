"""The workstation's half: data sets, backpropagation, evaluation, and the weights files that come of it."""
