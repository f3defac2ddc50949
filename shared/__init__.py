"""What the trainer and the edge must agree on: one forward pass, one weights file, one way to see."""

__version__ = "0.1.0"
