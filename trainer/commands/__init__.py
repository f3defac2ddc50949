"""The commands of `inkling-trainer`: each module adds its own to the command line, and carries it out."""
