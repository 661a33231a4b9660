"""A device's batch in parts, one after another, for networks whose activations of all of it exceed the memory.

`differentiate` runs a network on a whole batch; `in_parts` makes of it the function that does so part by part.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from jaxsr.devices.meshes import on_accelerator
from jaxsr.support.types import Metrics, Params, Tree

Carry = TypeVar("Carry")
Batch = TypeVar("Batch")
Result = TypeVar("Result")

Forward = Callable[[Params, Tree, Tree], tuple[Tree, tuple[Tree, Tree]]]  # (params, carry, batch) -> (y, (aux, carry))
Loss = Callable[[Tree, Tree, Tree], tuple[jax.Array, Metrics]]  # (y, aux, carry) -> (loss, metrics)


class ForwardPass(NamedTuple):
    """A network's pass over a batch, before what it returned is judged.

    `outputs(pick)` returns `pick(y, aux)` of the whole batch. `backward(loss)` returns the carry after the pass, and
    the metrics, with "loss", and the gradients by the parameters of the mean of `loss(y, aux, carry)`.
    """

    outputs: Callable[[Callable[[Tree, Tree], Tree]], Tree]
    backward: Callable[[Loss], tuple[Tree, tuple[Metrics, Params]]]


Differentiate = Callable[[Forward, Params, Tree, Tree], ForwardPass]


def differentiate(forward: Forward, params: Params, carry: Tree, batch: Tree) -> ForwardPass:
    """Return the pass of `forward(params, carry, batch)`; its outputs and its gradients share one computation."""
    y, vjp_fn, (aux, after) = jax.vjp(lambda params: forward(params, carry, batch), params, has_aux=True)

    def backward(loss: Loss) -> tuple[Tree, tuple[Metrics, Params]]:
        (value, metrics), output_grads = jax.value_and_grad(loss, has_aux=True)(y, aux, after)
        (gradients,) = vjp_fn(output_grads)
        return after, ({"loss": value, **metrics}, gradients)

    return ForwardPass(lambda pick: pick(y, aux), backward)


def in_parts(whole: Differentiate, parts: int) -> Differentiate:
    """Return `whole`, such as `differentiate`, for a batch in `parts`, one of which has its activations in memory.

    Where the outputs are asked for, they are computed once more. With one part nothing changes.
    """

    def over_parts(forward: Forward, params: Params, carry: Tree, batch: Tree) -> ForwardPass:
        def outputs(pick: Callable[[Tree, Tree], Tree]) -> Tree:
            def of_part(_: None, part: Tree) -> tuple[None, Tree]:
                y, (aux, _after) = forward(params, carry, part)
                return None, pick(y, aux)

            return joined(scan_few(of_part, None, split(batch, parts))[1])

        def backward(loss: Loss) -> tuple[Tree, tuple[Metrics, Params]]:
            def of_part(carry: Tree, part: Tree) -> tuple[Tree, tuple[Metrics, Params]]:
                return whole(forward, params, carry, part).backward(loss)

            return mean_of_parts(of_part, carry, batch, parts)

        return ForwardPass(outputs, backward)

    return whole if parts == 1 else over_parts


def split(batch: Tree, parts: int) -> Tree:
    """Return the arrays (N, ...) of `batch` as (parts, N / parts, ...)."""
    return jax.tree.map(lambda x: x.reshape(parts, len(x) // parts, *x.shape[1:]), batch)


def joined(batch: Tree) -> Tree:
    """Return the inverse of `split`: arrays (parts, n, ...) as (parts n, ...)."""
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), batch)


def scan_few(run: Callable[[Carry, Batch], tuple[Carry, Result]], carry: Carry, inputs: Batch) -> tuple[Carry, Result]:
    """Return what `jax.lax.scan` does over a few `inputs` (rounds, ...), without a loop where one would be slow.

    On a CPU convolutions are slow inside loops, and XLA keeps a loop of one round.
    """
    rounds = len(jax.tree.leaves(inputs)[0])
    if rounds == 1:
        carry, result = run(carry, jax.tree.map(lambda x: x[0], inputs))
        return carry, jax.tree.map(lambda x: x[None], result)
    return jax.lax.scan(run, carry, inputs, unroll=1 if on_accelerator() else rounds)


def mean_of_parts(
    run: Callable[[Carry, Batch], tuple[Carry, Result]], carry: Carry, batch: Batch, parts: int
) -> tuple[Carry, Result]:
    """Return the last carry and the mean result of `run(carry, part) -> (carry, result)`, kept as one running sum."""
    if parts == 1:
        return run(carry, batch)

    def add(sums: tuple[Carry, Result], part: Batch) -> tuple[tuple[Carry, Result], None]:
        carry, result = run(sums[0], part)
        return (carry, jax.tree.map(jnp.add, sums[1], result)), None

    inputs = split(batch, parts)
    first = jax.tree.map(lambda x: x[0], inputs)
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(run, carry, first)[1])
    (carry, total), _ = scan_few(add, (carry, zeros), inputs)
    return carry, jax.tree.map(lambda x: x / parts, total)
