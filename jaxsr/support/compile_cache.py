"""Compiled programs are kept between processes, in the user's cache folder: commands and `import jaxsr` share them."""

import contextlib
import warnings

import jax
from jax.experimental.compilation_cache import compilation_cache

from jaxsr.support.files import cache_folder

MIN_SECONDS, JAX_MIN_SECONDS = 0.2, 1.0  # of compiling, from which a program is kept: ours, and JAX's default


def use_compile_cache() -> None:
    """Keep compiled programs in the user's cache folder, so that another process does not compile them again.

    A folder that JAX was given before, by JAX_COMPILATION_CACHE_DIR or its config, takes precedence. A cache folder
    that cannot be written is not used.
    """
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")  # on a full disk
    if not jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
        folder = cache_folder() / "compiled"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            jax.config.update("jax_compilation_cache_dir", str(folder))
            compilation_cache.reset_cache()  # what was compiled before has told JAX that there is none
    if jax.config.jax_persistent_cache_min_compile_time_secs == JAX_MIN_SECONDS:  # pyright: ignore
        jax.config.update("jax_persistent_cache_min_compile_time_secs", MIN_SECONDS)
