"""Tasks: what a run learns, by `config.task`.

`task_table.py` says what a task is and lists them; open it first. Each has a file of its own: super-resolution by a
fixed degradation ("sr"), by random kernels ("blind"), deblurring ("deblur") and with references ("reference"). They
share `augmentation.py` for patches and `validation_sets.py` for the photos that are scored while training.
"""
