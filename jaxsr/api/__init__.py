"""The functions behind both the commands and the Python interface: restore, train, evaluate, degrade.

A command in `jaxsr/` reads its flags and calls one of these; `jaxsr.restore(...)` from Python is the same function.
Only the commands, their flags, the local page and `jaxsr/__init__.py` import from here.
Open first: `restoring.py`, then `restorers.py`, which has the systems behind it.
"""
