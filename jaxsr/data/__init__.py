"""Photos in and out, data sets of sub-images, and where training batches come from on the host.

Open `images.py` first (`read_photo`, `write_photo`: any common file to (H, W, C) levels and back, by `codecs/`), then
`listing.py` (which files a command works on, and where outputs go). `samples.py`, `blurred_pairs.py` and
`reference_sets.py` read folders of photos; `resident.py` keeps them on the device whole; `sub_images.py` cuts large
sets into records that `builder.py` writes and `streaming.py` reads in batches. `kernel_files.py` is for kernels;
`stores/` moves files to and from object stores.
"""
