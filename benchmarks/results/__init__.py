"""The page of results: what every system scores, beside its paper's figures.

Open first: `scoring.py`, which fills the record that `record.py` keeps as JSON. `photo_sets.py` finds the test sets,
`contestants.py` the weights; `published.py` has the papers' figures and what explains the differences. `page.py` writes
the record as Markdown with the tables of `markdown.py`, `pictures.py` its pictures. The command is
`python -m benchmarks.quality`.
"""
