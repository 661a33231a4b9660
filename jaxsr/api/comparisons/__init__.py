"""What `python -m jaxsr.compare` does: models beside each other on photos, as one page.

Open first: `comparing.py`. `comparison_models.py` opens the models that are named, at one scale or each at its own;
`comparison_layers.py` says which pictures of a photo the page shows.
"""
