"""The training step, a pure function `(state, vgg_params, crops, keys) -> (state, metrics)`, and what it is made of.

Open `step.py` first: the pixel step, and the forward pass and the update that it shares with `adversarial_step.py`,
which trains a second network, `adversary.py`, too. `accumulation.py` takes a batch in parts, `dispatch.py` runs several
steps in one program, `training_stages.py` puts the steps of a run together.
"""
