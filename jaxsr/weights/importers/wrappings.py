"""What trainers and frameworks put around the names of weights, taken off: wrappers, prefixes, optimizers' slots."""

import itertools
import re
from collections.abc import Iterator

import numpy as np

# In the order in which a file's parts are preferred: averages before what they average
WRAPPERS = (
    *("params_ema", "ema", "ema_state_dict", "model_ema", "state_dict", "model_state_dict", "params", "weights"),
    *("model", "net", "network", "generator", "netG", "net_g", "G", "module", "_orig_mod"),
)
MAX_WRAPPERS = 4  # in each other
_AVERAGES = ("/ExponentialMovingAverage", "/EMA", ".ema")
_SLOT = re.compile(
    r"(?:^|[/.])(?:Adam(?:_\d+)?|Momentum|RMSProp(?:_\d+)?|Adagrad|Adadelta(?:_\d+)?|Ftrl(?:_\d+)?|AMSGrad"
    r"|beta[12]_power(?:_\d+)?|global_step|save_counter|optimizer|\.OPTIMIZER_SLOT|_CHECKPOINTABLE_OBJECT_GRAPH)(?:[/.]|$)"
)
_ATTRIBUTES = "/.ATTRIBUTES/VARIABLE_VALUE"

Arrays = dict[str, np.ndarray]


def unwrappings(tensors: Arrays) -> Iterator[Arrays]:
    """Yield the arrays under the names of the file, then without wrappers, of which there may be several inside others.

    TensorFlow's `:0` and optimizers' slots are removed at once; averages take the place of what they average. An
    importer takes the first that it knows: "model." may be a wrapper, or the network's own name.
    """
    yield from _unwrapped(_plain(tensors), MAX_WRAPPERS)


def _unwrapped(tensors: Arrays, depth: int) -> Iterator[Arrays]:
    yield tensors
    first = {re.split(r"[./]", name, maxsplit=1)[0] for name in tensors}
    wrappers = dict.fromkeys((*WRAPPERS, *(first if len(first) == 1 else ())))  # a scope around everything is one, too
    for wrapper, mark in itertools.product(wrappers if depth else (), "./"):
        prefix = f"{wrapper}{mark}"
        inside = {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}
        if inside:
            yield from _unwrapped(inside, depth - 1)


def _plain(tensors: Arrays) -> Arrays:
    """Return the variables of a checkpoint, without what only its optimizer needs."""
    named = {name.removesuffix(":0").removesuffix(_ATTRIBUTES): x for name, x in tensors.items()}
    named = {name: x for name, x in named.items() if not _SLOT.search(name)} or named
    averages = {
        name.removesuffix(suffix): x for suffix in _AVERAGES for name, x in named.items() if name.endswith(suffix)
    }
    return {name: x for name, x in named.items() if not name.endswith(_AVERAGES)} | averages
