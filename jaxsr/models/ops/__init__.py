"""Layers and operations that several papers share. Parameters keep the plain layout (height, width, in, out).

Open first: `convolution.py` (`Conv`) and `layers.py` (shuffles, normalization, PReLU). `strided_convolution.py` and
`deconvolution.py` have the convolutions that make maps smaller and larger, `discriminators.py` SRGAN's discriminator
and SRNTT's critic, `feature_matching.py` and `feature_swap.py` SRNTT's search for textures and their transfer.
"""
