"""What `python -m jaxsr.compare` does: models beside each other on photos, as one page.

Open first: `comparing.py`. `comparison_models.py` opens the models that are named, at one scale or each at its own;
`compared_photos.py` gathers what the page shows, and `comparison_layers.py` has the pictures of a photo.
"""
