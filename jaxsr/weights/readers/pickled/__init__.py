"""Files of pickled objects, read as data: PyTorch's, and NumPy's object arrays. Nothing in them is imported or called.

Open first: `pickles.py`, the machine that reads a pickle; `torch_files.py` and `pickled_arrays.py` use it.
"""
