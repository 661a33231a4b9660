"""The folder of a training run, and what is written into it.

`run_folder.py` claims it for one config and writes config.json; open it first. `checkpoints.py` holds everything that
a resumed run needs, by `orbax_manager.py`, `run_log.py` writes metrics.jsonl and TensorBoard events and notices
diverged runs, `validation.py` scores the network, `sample_pictures.py` and `curves.py` draw what people look at.
"""
