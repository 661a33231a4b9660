"""The packaged configs by name: where they lie, how the command line sets their fields, what they cost to train.

Open first: `config_files.py`, which says what file and variant a name such as "espcn:x3" means. `config_flag.py` is the
flag --config, `config_list.py` the table that `python -m jaxsr.train --list` prints.
"""
