"""Degradation "real": random blur, resizing, noise and JPEG, twice over, as photos in the field have them.

`two_stages.py` is the file to open first; `random_resize.py` resizes to sides that are only known on the device,
`jpeg.py` compresses there.
"""
