"""FSRCNN: PyTorch's `first_part`, `mid_part`, `last_part`."""

from jaxsr.weights.importers.layouts import Imported, Tensors, torch_convolution, torch_deconvolution


def convert(tensors: Tensors) -> Imported:
    """Return FSRCNN's options and parameters; its 9x9 deconvolution has the same shape at every scale."""
    middle = sum(name.startswith("mid_part.") and name.endswith(".bias") for name in tensors)
    names = ["shrinking", *(f"mapping{i}" for i in range(1, middle - 1)), "expanding"]
    sources = {"feature_extraction": ("first_part", 0)}
    sources |= {name: ("mid_part", 2 * i) for i, name in enumerate(names)}
    params = {"deconvolution": torch_deconvolution(tensors, "last_part")}
    for name, (part, index) in sources.items():
        params[name] = torch_convolution(tensors, f"{part}.{index}")
        params[f"{name}_prelu"] = {"slope": tensors[f"{part}.{index + 1}.weight"]}
    options = {
        "feature_channels": params["feature_extraction"]["kernel"].shape[3],
        "shrink_channels": params["shrinking"]["kernel"].shape[3],
        "mapping_layers": middle - 2,
        "channels": params["deconvolution"]["kernel"].shape[3],
    }
    return Imported(options, {"params": params})
