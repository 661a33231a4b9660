"""The functions behind both the commands and the Python face: restore, train, evaluate, degrade.

A command in `jaxsr/` reads its flags and calls one of these; `jaxsr.restore(...)` from Python is the same function.
Everything below may be imported here, and nothing but the commands and `jaxsr/__init__.py` imports from here.
Open first: `restoring.py`, then `restorers.py`, which has the systems behind it.
"""
