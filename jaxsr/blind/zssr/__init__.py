"""ZSSR: super-resolution by a network that is trained on the photo to be restored.

Open `restoration.py` first: `restore_zssr` restores arrays; `zssr_files.py` restores files. `settings.py` is what users
set, `stages.py` and `kernel_choice.py` decide scales and kernels, `internal_learning.py` trains on the crops of
`fathers_and_sons.py`, and `reconstruction.py` applies the trained network to the photo.
"""
