"""Other engines compute what XLA does, for every network, through the same tiles."""

import functools
import threading

import numpy as np
import pytest

from jaxsr.engines.runtimes import RUNTIMES
from jaxsr.models import MODELS, Model
from jaxsr.models.srntt import FACTORS, Maps, map_sizes
from jaxsr.restoration.options import RestoreOptions
from jaxsr.restoration.photo import restore_pixels
from jaxsr.restoration.tiles import engine_check, engine_tiles
from jaxsr.support.errors import UserError
from tests.helpers.engines import needs
from tests.helpers.networks import REDUCED, quiet_variables
from tests.helpers.photos import photo
from tests.helpers.tiles import SRNTT_MODEL, enlarge

CLOSE = 1e-5
QUICK = {("openvino", "fsrcnn"), ("onnxruntime", "espcn"), ("openvino", "lapsrn")}
NETWORKS = [name for name, spec in MODELS.items() if not (spec.needs or spec.per_photo)]


def small_model(name: str, scale: int) -> Model:
    module = MODELS[name].module(scale, **REDUCED[name])
    return Model(MODELS[name], module, scale, quiet_variables(module))


def restored(model: Model, pixels: np.ndarray, engine: str, **options) -> np.ndarray:
    return restore_pixels(model, pixels, RestoreOptions(engine=engine, **options))[0]


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        pytest.param(engine, name, marks=[] if (engine, name) in QUICK else [pytest.mark.slow])
        for engine in RUNTIMES
        for name in NETWORKS
    ],
)
def test_results_are_those_of_xla(engine, name):
    needs(engine)
    model = small_model(name, 3 if 3 in MODELS[name].scales else MODELS[name].scales[0])
    for pixels in (photo(41, 34), photo(41, 34)[..., :1]):
        expected = restored(model, pixels, "xla", quantize=False)
        result = restored(model, pixels, engine, quantize=False)
        assert result.shape == expected.shape and result.dtype == np.float32
        assert np.abs(result - expected).max() <= CLOSE * max(1, np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("engine", RUNTIMES)
@pytest.mark.parametrize("name", ["danv1", "danv2"])
def test_extras_are_those_of_xla(engine, name):
    needs(engine)
    model = small_model(name, 2)
    options = {"quantize": False, "all_rounds": True}
    _, expected = restore_pixels(model, photo(24, 28), RestoreOptions(engine="xla", **options))
    _, result = restore_pixels(model, photo(24, 28), RestoreOptions(engine=engine, **options))
    assert result.keys() == expected.keys() and "images" in result
    for key, value in expected.items():
        np.testing.assert_allclose(result[key], value, atol=CLOSE * max(1, np.abs(value).max()))


@pytest.mark.slow
@pytest.mark.parametrize("engine", RUNTIMES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_levels_tiles_and_the_self_ensemble(engine, dtype):
    """Rounding may fall on the other side where a value lies on the border between two levels."""
    needs(engine)
    model, pixels = small_model("fsrcnn", 2), photo(150, 130).astype(dtype)
    for options in ({"tile": 48}, {"ensemble": True}):
        expected, result = (restored(model, pixels, each, **options) for each in ("xla", engine))
        differences = np.abs(result.astype(int) - expected.astype(int))
        assert result.dtype == dtype and differences.max() <= 1 and (differences > 0).mean() < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("engine", RUNTIMES)
def test_threads_share_a_program(engine):
    needs(engine)
    model, pixels, results = small_model("espcn", 2), photo(40, 40), []
    threads = [
        threading.Thread(target=lambda: results.append(restored(model, pixels, engine, quantize=False)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = restored(model, pixels, "xla", quantize=False)
    assert len(results) == 4 and all(np.abs(each - expected).max() < 1e-4 for each in results)


@pytest.mark.parametrize("engine", RUNTIMES)
def test_photos_of_float64_are_taken_as_xla_takes_them(engine):
    needs(engine)
    model, pixels = small_model("espcn", 2), photo(20, 26) / 255
    expected, result = (restored(model, pixels, each) for each in ("xla", engine))
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, expected, atol=CLOSE)


def test_broken_weights_are_said_to_be_broken():
    needs("openvino")
    model = small_model("espcn", 2)
    broken = model.with_params({**model.params, "conv1": {**model.params["conv1"], "bias": np.full(6, np.nan, "f4")}})
    with pytest.raises(UserError, match="non-finite"):
        restored(broken, photo(20, 20), "openvino")


def test_a_network_that_loses_its_border_is_refused_as_by_xla():
    needs("openvino")
    with pytest.raises(UserError, match="padding='valid' is for training; restore with another padding"):
        restored(small_model("fsrcnn", 2).with_options(padding="valid"), photo(20, 20), "openvino")


@pytest.fixture
def fresh_checks(tmp_path, monkeypatch):
    """Let no check be known yet; return the folder where they are noted."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(engine_check, "_PASSED", {})
    return tmp_path / "jaxsr" / "engines"


def test_results_of_diverged_weights_are_compared_too(fresh_checks, monkeypatch):
    """Their squares exceed single precision: the engine was said to be "nan % off"."""
    result = np.full((1, 4, 4, 1), 1e30, np.float32)
    monkeypatch.setattr(engine_check, "by_xla", lambda *_: (result,))
    compared = functools.partial(engine_check.check, ("openvino", "espcn"), "float32", None, None, result[:, ::2], ())
    assert compared(1.001 * result) and not compared(-result)


def test_an_engine_that_computes_wrongly_is_not_used(fresh_checks, monkeypatch, caplog):
    def wrong(*_):
        return lambda tiles: {
            "restored": np.full((len(tiles), 2 * tiles.shape[1], 2 * tiles.shape[2], 3), 90, np.uint8),
            "finite": np.ones(len(tiles), bool),
        }

    needs("openvino")
    model, pixels = small_model("espcn", 2), photo(20, 26)
    expected = restored(model, pixels, "xla")
    monkeypatch.setattr(engine_tiles, "_program", wrong)
    for _ in range(2):
        np.testing.assert_array_equal(restored(model, pixels, "openvino"), expected)
    (line,) = [record.getMessage() for record in caplog.records if "wrongly" in record.getMessage()]
    assert line.startswith("openvino computes espcn on ") and line.endswith("% off: XLA does it")
    assert not fresh_checks.exists()


def test_an_engine_is_checked_once_for_a_size(fresh_checks, monkeypatch):
    needs("openvino")
    model = small_model("espcn", 2)
    restored(model, photo(20, 26), "openvino")
    assert len(list(fresh_checks.iterdir())) == 1
    monkeypatch.setattr(engine_check, "_PASSED", {})
    monkeypatch.setattr(engine_check, "by_xla", None)  # another process does not compute it again
    restored(model, photo(20, 26), "openvino")


@pytest.mark.parametrize("engine", RUNTIMES)
def test_further_inputs_of_tiles_go_to_the_engine(engine):
    """SRNTT's maps, at one, two and four times the size of a photo, in two tiles."""
    needs(engine)
    pixels, rng = photo(80, 30), np.random.default_rng(1)
    maps = [rng.random(size, np.float32) for size in map_sizes(*pixels.shape[:2])]

    def maps_of_tile(top: int, left: int, height: int, width: int) -> Maps:
        pairs = zip(maps, FACTORS.values(), strict=True)
        return Maps(*(x[f * top : f * (top + height), f * left : f * (left + width)] for x, f in pairs))

    options = {"extra_inputs": maps_of_tile, "quantize": False, "tile": 51}
    expected, result = (enlarge(SRNTT_MODEL, pixels, engine=each, **options) for each in ("xla", engine))
    assert np.abs(result - expected).max() <= CLOSE * max(1, np.abs(expected).max())
