"""What the rest of the code knows about a network, and a network together with its weights."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxsr.models.forward import ForwardSpec
from jaxsr.support.errors import UserError, nearest


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """The facts about a published network that its caller needs; the network itself stays pure.

    The caller enlarges (`pre_upsampled`), pads to `multiple_of`, converts colour and tiles with
    `receptive_radius` pixels of context, counted at the network's input; the radius is None where every
    output pixel sees the whole photo. Where it does so in means alone, by which it normalizes, `tile_context` is
    how far its convolutions see: tiles are then an approximation, for photos too large for memory. One set of weights
    serves each group of `shared_scales`. `minimum` is the smallest input side, `needs` names further inputs. For
    training the constructor gets `training_options` and each call `training_arguments`; `fold(module, variables)`
    gives a cheaper network with the same results. A network `per_photo` learns from the photo it restores: it has no
    weights of its own.
    """

    name: str
    paper: str
    build: Callable[..., nn.Module]
    scales: tuple[int, ...]
    receptive_radius: Callable[[Any], int | None]
    variants: Mapping[str, Mapping[str, Any]]
    pre_upsampled: bool = False
    shared_scales: tuple[tuple[int, ...], ...] = ()
    value_range: tuple[float, float] = (0.0, 1.0)
    multiple_of: int = 1
    minimum: int = 1
    needs: tuple[str, ...] = ()
    training_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    training_arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fold: Callable[[Any, Any], tuple[Any, Any]] | None = None
    tile_context: Callable[[Any], int] | None = None
    per_photo: bool = False

    def module(self, scale: int, **options: Any) -> nn.Module:
        """Return the network for `scale`; `options` are the constructor's fields, lists serving as tuples.

        Raises UserError for a scale the paper does not have and for an unknown option.
        """
        if scale not in self.scales:
            known = ", ".join(map(str, self.scales))
            raise UserError(f"{self.name} has no scale {scale!r}; choose one of: {known}")
        fields = self.options
        for name in options:
            if name not in fields:
                raise UserError(f"{self.name} has no option {name!r}; {nearest(name, fields)}")
        options = {name: tuple(v) if isinstance(v, list) else v for name, v in options.items()}
        return self.build(**({"scale": scale} if self._takes_scale else {}), **options)

    def needed_by(self, module: Any) -> tuple[str, ...]:
        """Return those of `needs` that `module`, one of these networks, has; none where it was made to do `alone`."""
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


@dataclasses.dataclass(frozen=True)
class Model:
    """A network with its weights. `card` tells where they come from: training, scores with protocol, licence."""

    spec: ModelSpec
    module: Any
    scale: int
    variables: Mapping[str, Any]
    card: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's name with its scale, such as `fsrcnn-x2`."""
        return f"{self.spec.name}-x{self.scale}"

    @property
    def options(self) -> dict[str, Any]:
        """The constructor's fields besides the scale."""
        return {name: getattr(self.module, name) for name in self.spec.options}

    @property
    def params(self) -> Any:
        """The tree of trainable arrays."""
        return self.variables.get("params", {})

    @property
    def channels(self) -> int:
        """1 for a network on luma, 3 for one on RGB."""
        return self.module.channels

    @property
    def needs(self) -> tuple[str, ...]:
        """The further inputs, such as "reference"; none for a network that was made to do `alone`."""
        return self.spec.needed_by(self.module)

    @property
    def radius(self) -> int | None:
        """Pixels of context that an output pixel needs, counted at the network's input."""
        return self.spec.receptive_radius(self.module)

    def at_scale(self, scale: int) -> "Model":
        """Return the network for `scale` with the same weights; raises UserError where these do not serve it."""
        if not self.spec.shares(self.scale, scale):
            raise UserError(f"{self.name} was made for scale {self.scale}, not {scale}; use a model of scale {scale}")
        return dataclasses.replace(self, module=self.spec.module(scale, **self.options), scale=scale)

    def with_options(self, **options: Any) -> "Model":
        """Return the network with the same weights and other `options` that do not change their shapes.

        Raises UserError for an option that the network does not have.
        """
        return dataclasses.replace(self, module=self.spec.module(self.scale, **{**self.options, **options}))

    def folded(self) -> "Model":
        """Return the cheapest network with the same results."""
        if self.spec.fold is None:
            return self
        module, variables = self.spec.fold(self.module, self.variables)
        return dataclasses.replace(self, module=module, variables=variables)

    def forward_spec(self, *call_options: str) -> ForwardSpec:
        """Return what `run_network` needs to know of the network beside its variables."""
        spec = self.spec
        return ForwardSpec(
            self.module, self.scale, self.channels, spec.pre_upsampled, spec.value_range, tuple(call_options)
        )

    def apply(self, x: jax.Array, *needed: Any) -> Any:
        """Return the restored batch (N, H', W', C) of `x` (N, H, W, C), both in `spec.value_range`. Pure.

        Where the spec says `pre_upsampled`, `x` is the bicubic enlargement and H' = H; else H' = scale H. `needed` are
        the further inputs that it `needs`, such as SRNTT's `Maps`. A network that finds more than the image returns a
        named tuple with the image as `sr`; `restored_image` takes it from either, `extras` the rest.
        """
        return self.module.apply(self.variables, x, *needed)


def count_parameters(spec: ModelSpec, scale: int, **options: Any) -> int:
    """Return the number of trainable scalars of a network, without computing it."""
    variables = initial_shapes(spec.module(scale, **options))
    return sum(leaf.size for leaf in jax.tree.leaves(variables.get("params", {})))


def initial_shapes(module: Any) -> Any:
    """Return the tree of shapes of a network's variables; costs milliseconds, no arithmetic."""
    sample = jax.ShapeDtypeStruct((1, 32, 32, module.channels), jnp.float32)
    return jax.eval_shape(module.init, jax.eval_shape(lambda: jax.random.key(0)), sample)
