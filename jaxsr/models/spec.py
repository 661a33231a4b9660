"""What the rest of the code knows about a published network: its options, scales, sizes and value range."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.support.errors import UserError, check_scale_of, nearest
from jaxsr.support.model_options import Option
from jaxsr.support.types import Params, Variables

Network: TypeAlias = Any  # a Flax module of this package: its fields are the options, `channels` among them
Options: TypeAlias = Mapping[str, Option]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)  # compared and hashed by identity: static under jit
class ModelSpec:
    """The facts about a published network that its caller needs; the network itself stays pure.

    Attributes:
        name, paper: the published name, and where it was published.
        build: the constructor of the network.
        scales: the enlargements that the paper has.
        receptive_radius: gives the pixels of context that an output pixel depends on, counted at the network's input;
            None where every output pixel depends on the whole photo.
        variants: the published choices of options, by name.
        pre_upsampled: whether the network takes the bicubic enlargement.
        shared_scales: groups of scales that one set of weights serves.
        value_range: the values of black and white at the network's input and output.
        multiple_of: what height and width of the input have to be multiples of.
        minimum: the smallest height and width of the input.
        needs: further inputs, such as "reference".
        training_options: constructor's options for training alone.
        training_arguments: arguments of each call while training.
        detail_options: keywords of the call that make the network return all it can beside the image.
        fold: gives a cheaper network with the same results, from a network and its variables.
        tile_context: for a network that depends on the whole photo through its normalization alone, the context that
            its convolutions need. Tiles then approximate the result, for photos too large for memory.
        per_photo: whether the network learns from the photo that it restores, and has no weights of its own.
    """

    name: str
    paper: str
    build: Callable[..., nn.Module]
    scales: tuple[int, ...]
    receptive_radius: Callable[[Network], int | None]
    variants: Mapping[str, Options]
    pre_upsampled: bool = False
    shared_scales: tuple[tuple[int, ...], ...] = ()
    value_range: tuple[float, float] = (0.0, 1.0)
    multiple_of: int = 1
    minimum: int = 1
    needs: tuple[str, ...] = ()
    training_options: Options = dataclasses.field(default_factory=dict)
    training_arguments: Options = dataclasses.field(default_factory=dict)
    detail_options: tuple[str, ...] = ()
    fold: Callable[[Network, Variables], tuple[Network, Variables]] | None = None
    tile_context: Callable[[Network], int] | None = None
    per_photo: bool = False

    def __repr__(self) -> str:
        """Return the name: a model's tree structure is printed in JAX's messages."""
        return f"ModelSpec({self.name!r})"

    def module(self, scale: int, **options: Option) -> Network:
        """Return the network for `scale`; `options` are the constructor's fields, lists serving as tuples.

        Raises UserError for a scale the paper does not have and for an unknown option.
        """
        self.check_scale(scale)
        fields = self.options
        for name in options:
            if name not in fields:
                raise UserError(f"{self.name} has no option {name!r}; {nearest(name, fields)}")
        options = {name: tuple(v) if isinstance(v, list) else v for name, v in options.items()}
        return self.build(**({"scale": int(scale)} if self._takes_scale else {}), **options)

    def check_scale(self, scale: int) -> None:
        """Raise UserError for a scale that the paper does not have."""
        check_scale_of(self.name, scale, self.scales)

    def needed_by(self, module: Network) -> tuple[str, ...]:
        """Return those of `needs` that `module`, one of these networks, has; none where its option `alone` is set."""
        return () if getattr(module, "alone", False) else self.needs

    def shares(self, *scales: int) -> bool:
        """Return whether one set of weights serves all of `scales`."""
        return len(set(scales)) == 1 or any(set(scales) <= set(group) for group in self.shared_scales)

    @property
    def options(self) -> list[str]:
        """The names that `module` accepts besides the scale."""
        names = (field.name for field in dataclasses.fields(self.build))  # type: ignore[arg-type]
        return [name for name in names if name not in ("parent", "name", "scale")]

    @property
    def _takes_scale(self) -> bool:
        return any(field.name == "scale" for field in dataclasses.fields(self.build))  # type: ignore[arg-type]


def count_parameters(spec: ModelSpec, scale: int, **options: Option) -> int:
    """Return the number of trainable scalars of a network, without computing it."""
    variables = initial_shapes(spec.module(scale, **options))
    return sum(leaf.size for leaf in jax.tree.leaves(variables.get("params", {})))


def initial_shapes(module: Network) -> dict[str, Params]:
    """Return the tree of shapes of a network's variables; costs up to half a second of tracing, no arithmetic."""
    sample = jax.ShapeDtypeStruct((1, 32, 32, module.channels), jnp.float32)
    return jax.eval_shape(module.init, jax.eval_shape(lambda: jax.random.key(0)), sample)
