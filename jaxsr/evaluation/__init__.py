"""Scores of models on photos, each with the protocol that it was made under and the baseline's score beside it.

Open first: `scores.py`, a model on one pair and on several. `pairs.py` makes pairs of HR photos as `pair_options.py`
says, `sources.py` finds their files, `paired_sets.py` writes and reads test sets, `folder_scores.py` scores files one
by one, `saved_photos.py` keeps what was restored, and `score_tables.py` prints. `naturalness.py` adds NIQE, without HR
photos. `detections.py` compares what a detector finds on restored and on sharp photos.
"""
