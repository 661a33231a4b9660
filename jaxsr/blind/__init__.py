"""Optimisation for one photo: its blur kernel."""
