"""Blind super-resolution by optimisation per photo: KernelGAN finds the kernel, ZSSR restores with it."""
