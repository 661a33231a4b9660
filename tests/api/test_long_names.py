"""Names that are too long for any file, wherever a file may be named: one line for the user."""

import numpy as np
import pytest

import jaxsr
from jaxsr.api.comparisons.comparison_models import open_models, split_models
from jaxsr.blind.kernelgan.kernel_reports import read_truth
from jaxsr.data.blurred_pairs import find_pairs
from jaxsr.support.errors import UserError
from jaxsr.weights.formats import read_tensors
from jaxsr.weights.vgg_files import find_file

NAME = "x" * 300
PIXELS = np.zeros((9, 9, 3), np.uint8)
USES = {
    "load": lambda: jaxsr.load(NAME),
    "load a file": lambda: jaxsr.load(f"{NAME}.safetensors"),
    "restore by": lambda: jaxsr.restore(PIXELS, NAME),
    "restore with a kernel": lambda: jaxsr.restore(PIXELS, f"zssr,kernel={NAME}.npz"),
    "restore a file": lambda: jaxsr.restore(f"{NAME}.png", "bicubic"),
    "evaluate on": lambda: jaxsr.evaluate("bicubic", NAME),
    "export": lambda: jaxsr.export(NAME, "a.onnx"),
    "train by": lambda: jaxsr.train(f"{NAME}.py", "run"),
    "train into": lambda: jaxsr.train("espcn:x3", NAME),
    "import": lambda: read_tensors(f"{NAME}.pth"),
    "VGG19": lambda: find_file(NAME),
    "true kernels": lambda: read_truth([], NAME, 2),
    "pairs": lambda: find_pairs(NAME),
}


@pytest.mark.parametrize("use", USES)
def test_they_are_refused_in_one_line(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        USES[use]()
    assert "\n" not in str(error.value)


def test_a_comparison_names_them_and_goes_on():
    models = split_models([f"bicubic,{NAME},{NAME}=1"])
    assert models == ["bicubic", f"{NAME},{NAME}=1"]
    opened, failures = open_models(models, scale=2)
    assert list(opened) == ["bicubic-x2"] and len(failures) == 1
