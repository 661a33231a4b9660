"""A network on photos of any size: tiles with exactly the context that it needs, in few compiled programs.

Open `tiled_photos.py` first; `tiled_run.py` cuts the tiles, runs them and puts the results together. `geometry.py` cuts
a side of a photo into spans, `placement.py` chooses the tiles, with `tile_sharing.py` so that photos share programs,
`program.py` is what is compiled, `limits.py` says what devices take at once, and `on_device.py` keeps photos on an
accelerator between their tiles.
"""
