"""Readers of weight files, one module per format; a file is material to judge: bounds first, and nothing in it is run.

Open first: `bounds.py` (what a file may ask for), then `../formats.py`, which chooses among them.
"""
