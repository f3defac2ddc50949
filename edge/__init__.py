"""The Pi's half: a camera, a settled reading of what it sees, and the outputs that say so."""
