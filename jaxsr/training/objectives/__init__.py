"""What training minimises: the pixel loss, and the auxiliary losses beside it.

Open `objective.py` first: its `Losses` is the record of all, with their weights, and gives their total.
`supervision.py` says which of a network's results the pixel loss compares; `auxiliary.py` has the perceptual,
texture and total-variation losses; `vgg_features.py` the features that they need, and what SRNTT swaps.
"""
