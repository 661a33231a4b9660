"""How the tests compile: quickly, since the suite mostly compiles, or as users' programs are compiled."""

import functools
import os
from collections.abc import Callable

import jax
import pytest
from jax._src import compiler

OPTION = "xla_cpu_use_fusion_emitters"  # XLA's newer emitters take two thirds of the time of compiling for a CPU


def set_compilation(patch: pytest.MonkeyPatch, *, optimized: bool, emitters: bool) -> None:
    """Compile with most optimisations or without, by the newer emitters or the older, here and in commands."""
    jax.config.update("jax_disable_most_optimizations", not optimized)
    patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", str(int(not optimized)))
    if not emitters and has_option():
        patch.setenv("XLA_FLAGS", f"{os.environ.get('XLA_FLAGS', '')} --{OPTION}=false".strip())
        patch.setattr(compiler, "get_compile_options", without_emitters(compiler.get_compile_options))


@functools.cache
def has_option() -> bool:
    """Return whether this jaxlib knows `OPTION`; in XLA_FLAGS an unknown one ends the process.

    The first call also has XLA read XLA_FLAGS, which later changes then do not reach in this process.
    """
    try:
        jax.jit(lambda x: x).lower(0).compile(compiler_options={OPTION: False})
    except jax.errors.JaxRuntimeError:
        return False
    return hasattr(compiler, "get_compile_options")


def without_emitters(options: Callable) -> Callable:
    """Return `options`, JAX's function that makes the options of each compilation, with `OPTION` off."""

    @functools.wraps(options)
    def changed(*args: object, **keywords: object) -> object:
        made = options(*args, **keywords)
        made.env_option_overrides = [*made.env_option_overrides, (OPTION, False)]
        return made

    return changed
