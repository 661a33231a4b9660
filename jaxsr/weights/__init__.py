"""Weight files: the small ones that ship, how they are read and written, and importers for published ones."""

from jaxsr.weights.weight_files import load, load_file, save, shipped_names

__all__ = ["load", "load_file", "save", "shipped_names"]
