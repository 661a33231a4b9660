"""Layers and operations that several papers share. Parameters keep the plain layout (height, width, in, out).

Open first: `convolution.py` (`Conv`) and `layers.py` (shuffles, PReLU, strided convolutions).
`deconvolution.py` has the transposed convolution, `discriminators.py` the discriminators of
SRGAN and SRNTT, `feature_matching.py` and `feature_swap.py` SRNTT's search for textures and their transfer.
"""
