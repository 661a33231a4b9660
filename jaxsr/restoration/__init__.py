"""Restoration: from photo to photo with a network and its weights.

`photo.py` restores one photo or several, `photo_files.py` photos in files; `options.py` has what may be asked for,
`precision_choice.py` which precision "auto" is.
`tiles/` runs a network over a photo tile by tile, `reference/` gives SRNTT the textures of reference photos.
`array_photos.py` turns NumPy arrays and PIL images into photos and back.
Open first: `photo.py`.
"""
