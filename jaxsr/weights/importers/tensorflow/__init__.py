"""Importers of networks whose published weights are TensorFlow's: DRCN and SRNTT, by their variables' names.

Open first: `import_drcn.py`, the shorter one.
"""
