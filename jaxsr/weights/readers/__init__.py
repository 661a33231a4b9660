"""Readers of weight files, one module per format. A file is not trusted: it is checked first, and nothing in it is run.

Open first: `bounds.py` (what a file may ask for), then `../formats.py`, which chooses among them.
"""
