"""Training on many photos: states, losses, schedules, steps as pure functions, and the loop around them.

`loop.py` is the whole of a run as one straight function; open it first. `config.py` lists the fields of a config,
`catalog/` finds and lists the packaged configs, `plan.py` checks one and makes the parts of a run. What a run learns is
in `tasks/`, where its crops come from in `feeds/`, what it minimises in `objectives/`, how a step is made in `steps/`,
what it writes in `run/`.
"""
