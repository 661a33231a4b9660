"""Learning from a single photo, without any training set.

`kernelgan/` estimates the kernel that downscaled a photo (open kernelgan/estimation.py first), `zssr/` trains a
network on the photo itself and restores it with that (open zssr/restoration.py first). `user_errors.py` has the
checks of options that both share.
"""
