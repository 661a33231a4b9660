"""OpenVINO and ONNX Runtime: each compiles an ONNX file once and runs it on arrays, on the cores that are allowed."""

import contextlib
import functools
import importlib.util
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from jaxsr.support.errors import UserError, short_reason

if TYPE_CHECKING:
    import openvino

RUNTIMES = ("openvino", "onnxruntime")
TELEMETRY = "openvino_telemetry"
KEPT_SHAPES = 4  # compiled programs of a network by OpenVINO; each holds the network's weights in its own layout
NO_MEMORY = ("allocate", "bad_alloc")  # in what engines say where memory does not suffice
Arrays = dict[str, np.ndarray]


class EngineProgram(Protocol):
    """A compiled graph."""

    def __call__(self, photos: np.ndarray, *further: np.ndarray) -> Arrays:
        """Return the graph's outputs by name; it takes as many arrays as it has inputs."""
        ...


def input_names(count: int) -> list[str]:
    """Return the names of a graph's inputs, the photos' first."""
    return ["photos", *(f"input_{i}" for i in range(1, count))]


def is_installed(engine: str) -> bool:
    """Return whether the packages of `engine`, one of RUNTIMES, can be imported."""
    return all(map(_is_package, (engine, "onnx")))


def _is_package(name: str) -> bool:
    """Return whether there is a package `name`; a folder of that name where Python starts is none."""
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None


def check_installed(engine: str) -> None:
    """Raise UserError where the packages of `engine` are missing, naming the extra."""
    if engine in RUNTIMES and not is_installed(engine):
        raise UserError(f"engine={engine} is not installed: pip install 'jaxsr[{engine}]', or leave the engine out")


def check_precision(engine: str, precision: str) -> None:
    """Raise UserError where `engine` does not compute in `precision`, "float32" or "bf16"."""
    if precision == "bf16" and not takes_bf16(engine):
        raise UserError(
            f"precision={precision}: {engine} computes in float32 on CPUs; leave the precision out, or use the engine "
            "openvino"
        )


def takes_bf16(engine: str) -> bool:
    """Return whether `engine` computes in bfloat16 where the processor does."""
    return engine != "onnxruntime"


def compile_graph(engine: str, file: bytes, precision: str = "float32") -> EngineProgram:
    """Return the compiled ONNX `file`; `precision` is "float32", or with "openvino" "bf16"."""
    check_installed(engine)
    check_precision(engine, precision)
    with _errors_in_a_line(engine):
        return OpenVINOProgram(file, precision) if engine == "openvino" else _onnxruntime_program(file)


@contextlib.contextmanager
def _errors_in_a_line(engine: str) -> Iterator[None]:
    """Raise what `engine` raises, which has errors of its own, as MemoryError or as UserError: it fails for one photo.

    Its last line says what went wrong, those before it where in its source that was.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or any(word in str(error) for word in NO_MEMORY):
            raise MemoryError(f"the photo does not fit into memory by {engine}; use a smaller tile") from error
        raise UserError(f"{engine} fails ({short_reason(error, -1)}); use another engine, such as xla") from error


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def _without_telemetry() -> Iterator[None]:
    """Let OpenVINO be imported without the package by which it forks, and reports to its makers that it is used."""
    if "openvino" in sys.modules or TELEMETRY in sys.modules:
        yield
        return
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # Python's sign that it cannot be imported
    try:
        yield
    finally:
        del sys.modules[TELEMETRY]


@functools.cache  # for as long as the process: see below
def _openvino_core() -> "openvino.Core":
    """Return OpenVINO's core, one for all programs.

    It gives the thread that first compiles a stack for signal handlers, and when it goes frees that, though perhaps in
    another thread: from then on any signal would end the process with SIGSEGV.
    """
    with _without_telemetry():
        import openvino  # pyright: ignore[reportMissingImports]
    return openvino.Core()


class OpenVINOProgram:
    """A graph by OpenVINO, compiled for each shape of photos: known shapes let it fuse more than symbols do."""

    def __init__(self, file: bytes, precision: str) -> None:
        """Read the graph."""
        import onnx  # pyright: ignore[reportMissingImports]

        outputs = onnx.load_model_from_string(file).graph.output
        self._names = [output.name for output in outputs]  # OpenVINO keeps their order, and may give them others' names
        self._file = file
        hint = {"float32": "f32", "bf16": "bf16"}[precision]
        self._config = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": cores(), "NUM_STREAMS": 1}
        self._compiled: OrderedDict[tuple[tuple[int, ...], ...], Callable[..., Arrays]] = OrderedDict()
        self._lock = threading.Lock()  # a request serves one thread

    def __call__(self, photos: np.ndarray, *further: np.ndarray) -> Arrays:
        """Return the graph's outputs by name."""
        shapes = tuple(each.shape for each in (photos, *further))
        with self._lock, _errors_in_a_line("openvino"):
            if shapes not in self._compiled:
                self._compiled[shapes] = self._compile(shapes)
            self._compiled.move_to_end(shapes)
            while len(self._compiled) > KEPT_SHAPES:
                self._compiled.popitem(last=False)
            return self._compiled[shapes](photos, *further)

    def _compile(self, shapes: Sequence[tuple[int, ...]]) -> Callable[..., Arrays]:
        core = _openvino_core()
        model = core.read_model(self._file)
        inputs = input_names(len(shapes))
        model.reshape({name: list(shape) for name, shape in zip(inputs, shapes, strict=True)})
        request = core.compile_model(model, "CPU", self._config).create_infer_request()

        def run(*arrays: np.ndarray) -> Arrays:
            results = request.infer(dict(zip(inputs, arrays, strict=True)), share_inputs=True)
            return {name: np.array(results[i]) for i, name in enumerate(self._names)}

        return run


def _onnxruntime_program(file: bytes) -> EngineProgram:
    import onnxruntime  # pyright: ignore[reportMissingImports]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(photos: np.ndarray, *further: np.ndarray) -> Arrays:
        fed = dict(zip(input_names(1 + len(further)), (photos, *further), strict=True))
        with _errors_in_a_line("onnxruntime"):
            return dict(zip(names, session.run(names, fed), strict=True))  # pyright: ignore

    return run
