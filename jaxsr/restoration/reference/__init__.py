"""Reference super-resolution (SRNTT): the textures of reference photos, matched with a photo by VGG19's features.

`preparation.py` reads references and extracts their features, `features.py` extracts and matches on all devices,
`transfer.py` restores a photo with them. `match_cache.py` keeps matches between training runs, `match_pictures.py`
shows them.
Open first: `transfer.py`.
"""
