"""Flags of the commands that have too many for their own file, or share some with others, and what the flags ask for.

Open `restore_flags.py` first: one constant a flag, then the functions that turn them into records of options.
"""
