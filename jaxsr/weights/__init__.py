"""Models with weights: those that ship, how files are read, and importers for published ones.

Open first: `weight_files.py` (`load`: a shipped name, a file or a run folder), then `creation.py` (`create`: the
paper's initialisation). `importers/` turns published weights into ours, one file per paper; `formats.py` reads their
files by `readers/`, within bounds. `cards.py` checks what a file says of its model. `vgg_files.py` finds VGG19 for
perceptual losses and SRNTT, `bases.py` DAN's principal components. `shipped/` holds the weights that come with the
package, `shipped_weights.py` their names.
"""

from jaxsr.weights.creation import create
from jaxsr.weights.shipped_weights import shipped_names
from jaxsr.weights.weight_files import load, load_file, save

__all__ = ["create", "load", "load_file", "save", "shipped_names"]
