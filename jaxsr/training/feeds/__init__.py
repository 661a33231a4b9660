"""Feeds: where the crops of a training step come from.

`feed.py` says what the loop asks of any feed; open it first. `resident_feed.py` keeps photos on the devices,
`stream_feed.py` reads a prepared data set from disk, `open_photos.py` chooses between the two. `blurred_feed.py` adds
the kernels of deblurring, `reference_feed.py` has photos with matched references. Which feed a run has is decided by
its task (`jaxsr/training/tasks`).
"""
