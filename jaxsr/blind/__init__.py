"""Optimisation for one photo: its blur kernel, and the network that restores it."""
