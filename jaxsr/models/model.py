"""A network together with its weights: a pytree that is called on photos in [0, 1]."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import jax
import jax.numpy as jnp

from jaxsr.imaging.arrays import floats_of
from jaxsr.models.card import Card
from jaxsr.models.forward import Extras, ForwardSpec, restore_batch
from jaxsr.models.precision import to_dtype
from jaxsr.models.serialization import write_weights
from jaxsr.models.spec import ModelSpec, Network
from jaxsr.support.errors import UserError
from jaxsr.support.model_options import Option
from jaxsr.support.types import AnyArray, Json, Params, Tree, Variables


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A network with its weights: a pure, differentiable function on batches of photos, and a pytree.

    The variables are the pytree's leaves; all else is static. So a model goes through `jax.jit`, `jax.grad`,
    `jax.vmap` and `jax.device_put` as any tree of arrays does.

        model = jaxsr.load("fsrcnn-x2")
        y = jax.jit(lambda m, x: m(x))(model, x)
        loss = lambda p: jaxsr.losses.l1(output=model.with_params(p)(x), target=y).mean()
        gradients = jax.grad(loss)(model.params)

    Attributes:
        spec: the facts about the published network.
        module: the Flax module.
        scale: how many times height and width grow; 1 for deblurring.
        variables: Flax's collections, {"params": ...} and for some networks "batch_stats" or "constants".
        card: where the weights come from: training, scores with their protocol, licence. A mapping.
    """

    spec: ModelSpec
    module: Network
    scale: int
    variables: Variables
    card: Mapping[str, Json] = dataclasses.field(default_factory=Card)

    def __post_init__(self) -> None:
        """Make the card hashable, and a scale of NumPy's integers one of Python's, which sizes are computed with."""
        object.__setattr__(self, "scale", int(self.scale))
        if not isinstance(self.card, Card):
            object.__setattr__(self, "card", Card(self.card))

    def __repr__(self) -> str:
        """Return the name and the number of parameters."""
        count = sum(getattr(leaf, "size", 0) for leaf in jax.tree.leaves(self.params))
        return f"Model({self.name!r}, {count:,} parameters)"

    def __call__(self, x: AnyArray, *extra_inputs: Tree) -> jax.Array:
        """Return the photos restored, whatever the network's own value range, channels and input size.

        Example: `y = model(x)`, or `jax.jit(lambda m, x: m(x))(model, x)`.

        Args:
            x: photos (N, H, W, C), floats in [0, 1], taken in the weights' type; C is 1 (grey) or 3 (RGB). A network
                on luma restores Y of a colour photo, Cb and Cr are enlarged by bicubic; a network on RGB gets a grey
                photo three times, and its outputs are averaged. Sides are padded by reflection where the network takes
                multiples.
            *extra_inputs: further inputs of the network: SRNTT's `Maps`. Without them SRNTT enlarges by the photo's
                content alone.

        Returns:
            Photos (N, scale H, scale W, C) in [0, 1]. The value is clipped, its gradient is not: that is the gradient
            of the identity (straight-through), or pixels outside [0, 1] would never be learned. Gradients are of
            reverse mode, `jax.grad` and not `jax.jvp`.

        Raises:
            UserError: for another rank, number of channels or dtype, or sides below `minimum`.
        """
        return self._restore(x, extra_inputs, ())[0]

    def details(self, x: AnyArray, *extra_inputs: Tree) -> Extras:
        """Return what the network returns beside the image, {name: array}; {} for most networks.

        Example: `kernels = jaxsr.load("danv2-x2").details(x)["kernels"]`.

        Args:
            x: photos (N, H, W, C) in [0, 1], as in a call.
            *extra_inputs: as in a call.

        Returns:
            From DAN `codes` (N, rounds, L), `images` (N, rounds, scale H, scale W, 3) and, DANv2, `kernels`
            (N, rounds, k, k), which sum to 1; from DRCN `images` (N, recursions, scale H, scale W, 1); from LapSRN and
            MS-LapSRN `image_x2` (N, 2 H, 2 W, 1), `image_x4`, ... Images are not clipped; those of a luma network are
            luma.

        Raises:
            UserError: as a call does.
        """
        return self._restore(x, extra_inputs, self.spec.detail_options)[1]

    def _restore(
        self, x: AnyArray, extra_inputs: tuple[Tree, ...], call_options: tuple[str, ...]
    ) -> tuple[jax.Array, Extras]:
        x = self._in_dtype(jnp.asarray(x))
        self._check_photos(x)
        model = self.with_options(alone=True) if "reference" in self.needs and not extra_inputs else self
        spec = model.forward_spec(*call_options)
        return restore_batch(spec, self.variables, x, extra_inputs, multiple_of=self.spec.multiple_of)

    def _in_dtype(self, x: jax.Array) -> jax.Array:
        """Return `x` in the weights' floats where it is of others: half ones, or with jax_enable_x64 double ones."""
        weights = jax.tree.leaves(self.variables)
        if jnp.issubdtype(x.dtype, jnp.floating) and weights and all(leaf.dtype != x.dtype for leaf in weights):
            return x.astype(jnp.result_type(*weights))
        return x

    def _check_photos(self, x: jax.Array) -> None:
        if x.ndim != 4 or x.shape[-1] not in (1, 3):
            raise UserError(f"{self.name} takes photos (N, H, W, 1 or 3); got shape {x.shape}")
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise UserError(f"{self.name} takes floats in [0, 1]; got {x.dtype}; {floats_of(x.dtype)}")
        if any(side < self.minimum for side in x.shape[1:3]):
            height, width = x.shape[1:3]
            raise UserError(
                f"photos of {height}x{width} pixels are too small for {self.name}; use {self.minimum}x{self.minimum} "
                "or more"
            )

    @property
    def params(self) -> Params:
        """The trainable arrays, a nested dictionary."""
        return self.variables.get("params", {})

    def with_params(self, params: Params) -> "Model":
        """Return the model with other trainable arrays, of the same names and shapes; all else stays.

        Example: `jax.grad(lambda p: jnp.mean(model.with_params(p)(x)))(model.params)`, and with two sets of parameters
        stacked on axis 0 `jax.vmap(lambda p: model.with_params(p)(x))(stacked)`.

        Args:
            params: a tree like `params`. Under `jax.jit`, `jax.grad` and `jax.vmap` it may be traced.

        Returns:
            A Model. Its card is still this one's, also where that has scores.

        Raises:
            flax.errors.ScopeParamShapeError: when called, for arrays of other shapes.
        """
        return dataclasses.replace(self, variables={**self.variables, "params": params})

    def save(self, path: str | Path, **card: Json) -> None:
        """Write the model to a weight file, which alone is enough for `jaxsr.load`.

        Example: `model.save("runs/mine.safetensors", licence="CC0-1.0", scores=[])`.

        Args:
            path: the file, `*.safetensors`; written whole or not at all.
            **card: JSON fields that replace or join those of the card, such as `training`, `scores`, `licence`; and
                `name`, which `Model.name` takes where it begins with the network's: "fsrcnn-faces".

        Raises:
            UserError: for another ending, fields that are not JSON, and weights that are not finite.
        """
        facts = {
            "model": self.spec.name,
            "paper": self.spec.paper,
            "scale": self.scale,
            "options": self.options,
            "value_range": list(self.spec.value_range),
        }
        write_weights(path, self.variables, {**self.card, **card, **facts})

    @property
    def name(self) -> str:
        """The model's name with its scale, such as `fsrcnn-x2`, without one where it does not enlarge.

        Weights whose card has a `name` that begins with the network's have that: `real-gan` makes `real-gan-x4`.
        """
        own = str(self.card.get("name", ""))
        base = own if re.fullmatch(rf"{self.spec.name}-[\w-]{{1,40}}", own) else self.spec.name
        return f"{base}-x{self.scale}" if self.scale > 1 else base

    @property
    def options(self) -> dict[str, Option]:
        """The constructor's fields besides the scale."""
        return {name: getattr(self.module, name) for name in self.spec.options}

    @property
    def channels(self) -> int:
        """1 for a network on luma, 3 for one on RGB. Calls take photos of both kinds."""
        return self.module.channels

    @property
    def needs(self) -> tuple[str, ...]:
        """The further inputs, such as "reference"; none where the network's option `alone` is set."""
        return self.spec.needed_by(self.module)

    @property
    def minimum(self) -> int:
        """The smallest height and width of a photo."""
        return -(-self.spec.minimum // (self.scale if self.spec.pre_upsampled else 1))

    @property
    def radius(self) -> int | None:
        """Pixels of context that an output pixel depends on, counted at the network's input; None for the whole."""
        return self.spec.receptive_radius(self.module)

    def at_scale(self, scale: int) -> "Model":
        """Return the network for `scale` with the same weights; raises UserError where these do not serve it."""
        self.spec.check_scale(scale)
        if not self.spec.shares(self.scale, scale):
            raise UserError(f"{self.name} was made for scale {self.scale}, not {scale}; use a model of scale {scale}")
        return dataclasses.replace(self, module=self.spec.module(scale, **self.options), scale=scale)

    def with_options(self, **options: Option) -> "Model":
        """Return the network with the same weights and other `options` that do not change their shapes.

        Raises UserError for an option that the network does not have.
        """
        return dataclasses.replace(self, module=self.spec.module(self.scale, **{**self.options, **options}))

    def folded(self) -> "Model":
        """Return the cheapest network with the same results: batch normalization inside the convolutions."""
        if self.spec.fold is None:
            return self
        module, variables = self.spec.fold(self.module, self.variables)
        return dataclasses.replace(self, module=module, variables=variables)

    def in_float32(self) -> "Model":
        """Return the model with all weights in float32; itself, where they are."""
        if all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(self.variables)):
            return self
        return dataclasses.replace(self, variables=to_dtype(self.variables, jnp.float32))

    def forward_spec(self, *call_options: str, precision: str = "float32") -> ForwardSpec:
        """Return what `run_network` needs to know of the network beside its variables."""
        spec = self.spec
        return ForwardSpec(
            self.module,
            self.scale,
            self.channels,
            spec.pre_upsampled,
            spec.value_range,
            call_options=tuple(call_options),
            precision=precision,
        )

    def apply(self, x: jax.Array, *extra_inputs: Tree) -> Tree:
        """Return what the bare network makes of `x` (N, H, W, C), in `spec.value_range` and with its own `channels`.

        Where the spec says `pre_upsampled`, `x` is the bicubic enlargement and H' = H; else H' = scale H. A network
        that returns more than the image returns a named tuple with the image as `sr`; `restored_image` takes it from
        either, `extras` the rest.
        """
        return self.module.apply(self.variables, x, *extra_inputs)


jax.tree_util.register_dataclass(Model, ["variables"], ["spec", "module", "scale", "card"])
