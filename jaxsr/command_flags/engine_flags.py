"""The flags of how a network is run, for the commands that restore: restore, evaluate and compare."""

from absl import flags

flags.disclaim_key_flags()  # each flag belongs to the module that asks for it, and is in that command's --help


def define_ensemble() -> flags.FlagHolder[bool]:
    """Define --ensemble for the calling module, and return it."""
    return flags.DEFINE_bool("ensemble", False, "Average over 8 flips and turns: 8 times slower, a little better.")


def define_engine() -> flags.FlagHolder[str]:
    """Define --engine for the calling module, and return it."""
    return flags.DEFINE_string(
        "engine",
        "auto",
        "What computes: xla, openvino or onnxruntime (the latter two are extras), or auto: on CPUs an installed one "
        "that was measured to be faster than xla, else xla.",
    )


def define_precision(default: str, meaning: str) -> flags.FlagHolder[str]:
    """Define --precision for the calling module, with the help `meaning`, and return it."""
    return flags.DEFINE_enum("precision", default, ["auto", "float32", "bf16"], meaning)
