"""`--model=auto`: the preferences by scale, photo, device and installed weights."""

import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from benchmarks.training_costs import operations
from jaxsr.api import automatic_choice
from jaxsr.api.automatic_choice import (
    FOR_DAMAGED,
    KILOFLOPS,
    PREFERENCES,
    DeviceFacts,
    PhotoFacts,
    choose_for_files,
    choose_for_photo,
    choose_model,
    is_damaged,
    seconds_of,
)
from jaxsr.api.restoring import restore
from jaxsr.data.images import Photo, write_photo
from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from jaxsr.training.catalog.config_files import variants_of
from jaxsr.weights.shipped_weights import shipped_names
from jaxsr.weights.weight_files import load, training_command
from tests.helpers.photos import smooth

CPU, GPU = DeviceFacts("cpu", 1), DeviceFacts("gpu", 1)
VDSR = ("vdsr-x2", "vdsr-x3", "vdsr-x4")
ALL = ("rdn-x2", "real-x2", "real-x4", *VDSR, "lapsrn-x4", "srresnet-x4", "fsrcnn-x2", "fsrcnn-x4", "srcnn-x3")


@pytest.mark.parametrize(
    ("facts", "devices", "installed", "model"),
    [
        (PhotoFacts(2, 10_000), CPU, ALL, "rdn-x2"),
        (PhotoFacts(2, 10_000, damaged=True), CPU, ALL, "real-x2"),
        (PhotoFacts(2, 10_000, grey=True), CPU, ALL, "vdsr-x2"),
        (PhotoFacts(2, 10_000, grey=True), CPU, ("rdn-x2",), "rdn-x2"),
        (PhotoFacts(2, 600_000), CPU, ALL, "fsrcnn-x2"),
        (PhotoFacts(2, 600_000), GPU, ALL, "rdn-x2"),
        (PhotoFacts(2, 600_000), DeviceFacts("cpu", 8), ALL, "rdn-x2"),
        (PhotoFacts(2, 10**9), CPU, ALL, "fsrcnn-x2"),
        (PhotoFacts(3, 10_000), CPU, ALL, "vdsr-x3"),
        (PhotoFacts(3, 10_000), CPU, ("srcnn-x3",), "srcnn-x3"),
        (PhotoFacts(4, 10_000), CPU, ALL, "srresnet-x4"),
        (PhotoFacts(8, 10_000), CPU, ALL, "bicubic"),
        (PhotoFacts(4, 10_000, damaged=True), CPU, (), "bicubic"),
    ],
)
def test_what_is_chosen(facts, devices, installed, model):
    choice = choose_model(facts, devices, dict.fromkeys(installed, 0.0))
    assert (choice.model, choice.scale) == (model, facts.scale)
    assert choice.reason.startswith(f"auto: {model}") and "\n" not in choice.reason


def test_what_scored_better_is_preferred():
    installed = {"rdn-x4": 31.0, "lapsrn-x4": 31.6, "srresnet-x4": 31.5, "fsrcnn-x4": 0.0}
    assert choose_model(PhotoFacts(4, 10_000), CPU, installed).model == "lapsrn-x4"
    assert choose_model(PhotoFacts(4, 10_000, grey=True), CPU, {**installed, "rdn-x4": 32.0}).model == "lapsrn-x4"
    assert choose_model(PhotoFacts(4, 10_000), CPU, {**installed, "rdn-x4": 32.0}).model == "rdn-x4"


def test_scores_of_the_cards_that_ship_are_read():
    assert choose_for_files([], [], 3).model == "lapsrn-x3"


def test_the_score_is_that_of_luma_on_set5(monkeypatch):
    def card(*scores):
        return {
            "scale": 4,
            "scores": [
                {"data": data, "scale": 4, "protocol": {"name": protocol}, "mean": {"psnr": psnr}}
                for data, protocol, psnr in scores
            ],
        }

    rdn = card(("Set14", "y", 40.0), ("Set5", "rgb", 39.0), ("Set5", "y", 30.0))
    cards = {"rdn-x4": rdn, "lapsrn-x4": card(("Set5", "y8", 31.0)), "vdsr-x4": card(("Set14", "y8", 50.0))}
    monkeypatch.setattr(automatic_choice, "shipped_cards", lambda: cards)
    assert choose_for_files([], [], 4).model == "lapsrn-x4"


def test_seconds_follow_from_work_pixels_and_devices():
    on_a_core = seconds_of("rdn-x2", PhotoFacts(2, 1_000_000), CPU)
    assert on_a_core == pytest.approx(1_107e3 * 4e6 / 25e9)
    assert seconds_of("rdn-x2", PhotoFacts(2, 1_000_000), DeviceFacts("cpu", 8)) == pytest.approx(on_a_core / 8)
    assert seconds_of("rdn-x2", PhotoFacts(2, 1_000_000), GPU) == pytest.approx(on_a_core / 200)


def test_the_reason_names_what_would_take_too_long():
    reason = choose_model(PhotoFacts(2, 600_000), CPU, dict.fromkeys(ALL, 0.0)).reason
    slower = "rdn-x2, vdsr-x2 would take over 60 seconds for 0.6 megapixels"
    assert f"a photo in colour at x2 on 1 cpu core ({slower})" in reason


def test_scales_without_a_model_are_refused():
    with pytest.raises(UserError, match="no model enlarges 5 times; choose one of: 2, 3, 4, 8"):
        choose_model(PhotoFacts(5), CPU, {})
    with pytest.raises(UserError, match="no model enlarges 0 times; choose one of: 2, 3, 4, 8"):
        choose_for_files([], [], 0)
    for scale in (0, 2.0, "2"):
        with pytest.raises(UserError, match=f"no model enlarges {scale!r} times; choose one of: 2, 3, 4, 8"):
            restore(smooth(24, 24), "auto", scale=scale)  # pyright: ignore[reportArgumentType, reportCallIssue]


def test_the_preferences_are_of_models_that_have_the_scale():
    for scale, names in PREFERENCES.items():
        for name in names:
            assert scale in MODELS[name].scales, (name, scale)


def test_the_work_of_all_that_can_be_chosen_is_known():
    systems = {name for names in PREFERENCES.values() for name in (*names, *FOR_DAMAGED)}
    assert {name for name in shipped_names() if name.partition("-x")[0] in systems} == KILOFLOPS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", KILOFLOPS)
def test_the_work_is_what_the_weights_do(name):
    model, side = load(name), 64
    traced = jax.make_jaxpr(model)(jnp.zeros((1, side, side, model.channels)))
    counted = operations(traced.jaxpr) / (side * model.scale) ** 2 / 1000
    assert counted == pytest.approx(KILOFLOPS[name], rel=0.05)


def test_files_are_judged_by_the_largest_and_videos_by_frames(tmp_path):
    write_photo(tmp_path / "a.png", Photo(smooth(24, 24)))
    assert "would take" not in choose_for_files([tmp_path / "a.png"], [], 2).reason
    assert choose_for_files([], [tmp_path / "c.mp4"], 2).model in ("fsrcnn-x2", "espcn-x2")


@pytest.fixture
def facts(monkeypatch):
    """Return the list of facts that choices are made by."""
    found = []
    monkeypatch.setattr(automatic_choice, "_choose_here", found.append)
    return found


def test_the_largest_file_is_that_of_most_pixels(facts, tmp_path):
    for name, (height, width) in {"wide": (10, 120), "square": (42, 43), "long": (90, 12)}.items():
        write_photo(tmp_path / f"{name}.png", Photo(smooth(height, width)))
    (tmp_path / "broken.png").write_bytes(b"no photo")
    choose_for_files(sorted(tmp_path.iterdir()), [], None)
    choose_for_files(sorted(tmp_path.iterdir()), [tmp_path / "c.mp4"], 4)
    assert facts == [PhotoFacts(2, 42 * 43, grey=None), PhotoFacts(4, 100 * 1920 * 1080, grey=None)]


def test_a_photo_is_judged_as_it_was_decoded(facts):
    grey, colour = Photo(smooth(9, 12)[..., :1]), Photo(smooth(9, 12))
    for photo in (grey, colour):
        choose_for_photo(photo.pixels, photo, 3)
    assert facts == [PhotoFacts(3, 108, grey=True), PhotoFacts(3, 108, grey=False)]


def test_photos_count_as_damaged_by_their_jpeg_quality_and_folders_where_most_are(tmp_path):
    files = {quality: tmp_path / f"{quality}.jpg" for quality in (20, 40, 90)}
    for quality, path in files.items():
        Image.fromarray(smooth(30, 30)).save(path, quality=quality)
    one, two, three = files.values()
    assert choose_for_files([one, two, three], [], 4).model == "real-x4"
    assert "damaged by compression" in choose_for_files([one], [], 4).reason
    assert choose_for_files([two, three], [], 4).model != "real-x4"
    assert [is_damaged(path) for path in files.values()] == [True, True, False]


def test_restoring_by_auto_says_why_in_the_log(caplog):
    with caplog.at_level(logging.INFO, "jaxsr"):
        large = restore(smooth(16, 18), "auto", scale=8)
    assert large.shape == (128, 144, 3) and large.dtype == np.uint8
    assert [record.getMessage()[:5] for record in caplog.records if record.name == "jaxsr"] == ["auto:"]


@pytest.mark.parametrize("name", [name for name, spec in MODELS.items() if name not in ("bicubic", "zssr")])
def test_the_command_of_missing_weights_names_a_variant(name):
    for scale in MODELS[name].scales:
        variant = training_command(name, scale).split()[3].partition(":")[2]
        assert variant in variants_of(name), (scale, variant)


def test_the_reason_for_files_says_nothing_of_colours_that_were_not_read(tmp_path):
    write_photo(tmp_path / "grey.png", Photo(smooth(24, 24)[..., :1]))
    reason = choose_for_files([tmp_path / "grey.png"], [], 2).reason
    assert "installed models for a photo at x2" in reason and "colour" not in reason
