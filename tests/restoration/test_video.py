"""Videos from file to file: frames as the photo path gives them, everything else as it was."""

import os
import signal
import threading
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest

from jaxsr.restoration.photo import restore_pixels
from jaxsr.restoration.video import check_video_model, restore_video
from jaxsr.support.errors import UserError
from jaxsr.support.interruption import signals_as_exceptions
from jaxsr.weights import load
from tests.helpers.networks import REDUCED, network
from tests.helpers.photos import photo
from tests.helpers.videos import contents, write_video

MODEL = network("espcn", 2, **REDUCED["espcn"])
UNEVEN = [500, 540, 600, 601, 750, 1000, 1040]  # milliseconds


def noise(count=7, height=24, width=32):
    return [photo(height, width, seed=seed) for seed in range(count)]


def test_subtitles_are_copied(tmp_path):
    def add(container, stream):
        subtitles = container.add_mux_stream("subrip")
        packet = av.Packet(b"hello")
        packet.stream, packet.time_base, packet.pts, packet.dts, packet.duration = (
            subtitles,
            Fraction(1, 1000),
            90,
            90,
            60,
        )
        container.mux(packet)

    write_video(tmp_path / "clip.mkv", noise(), prepare=add)
    restore_video(MODEL, tmp_path / "clip.mkv", tmp_path / "out.mkv")
    assert contents(tmp_path / "out.mkv").packets == [(b"hello", Fraction(9, 100))]


def test_frames_equal_restored_photos(tmp_path):
    frames = noise()
    write_video(tmp_path / "clip.mkv", frames, codec="libx264rgb", pix_fmt="rgb24")
    assert restore_video(MODEL, tmp_path / "clip.mkv", tmp_path / "out.mkv", crf=0) == 7
    restored = contents(tmp_path / "out.mkv")
    for frame, result in zip(frames, restored.frames, strict=True):
        np.testing.assert_array_equal(result, restore_pixels(MODEL, frame)[0])


@pytest.mark.parametrize(("matrix", "color_range"), [(1, 1), (6, 2), (9, 1), (2, 0)])
@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv420p10le"])
def test_colours_survive_every_matrix_and_range(matrix, color_range, pix_fmt, tmp_path):
    """A saturated colour is the same afterwards, up to the rounding of conversions to YCbCr and back."""

    def tagged(container, stream):
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, color_range

    orange = np.full((24, 36, 3), (220, 110, 30), np.uint8)
    write_video(tmp_path / "clip.mp4", [orange] * 2, pix_fmt=pix_fmt, prepare=tagged)
    restore_video(load("bicubic", scale=2), tmp_path / "clip.mp4", tmp_path / "out.mp4", crf=0)
    before, after = (contents(tmp_path / name).frames[0].astype(int) for name in ("clip.mp4", "out.mp4"))
    assert np.abs(after - before[0, 0]).max() <= 3


@pytest.mark.parametrize("pix_fmt", ["gray", "gray16le"])
def test_grey_keeps_its_levels(pix_fmt, tmp_path):
    """Those of grey frames have the full range; H.264 that does not say so is taken for limited, which is darker."""
    levels = [np.full((24, 32, 3), level, np.uint8) for level in (20, 90, 240)]
    write_video(tmp_path / "clip.mkv", levels, codec="ffv1", pix_fmt=pix_fmt, level="3")
    restore_video(load("bicubic", scale=2), tmp_path / "clip.mkv", tmp_path / "out.mkv", crf=0)
    before, after = (contents(tmp_path / name).frames for name in ("clip.mkv", "out.mkv"))
    np.testing.assert_allclose([frame.mean() for frame in after], [frame.mean() for frame in before], atol=1)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_times_and_sound_stay(suffix, tmp_path):
    source, target = tmp_path / f"clip{suffix}", tmp_path / f"out{suffix}"
    write_video(source, noise(), times=UNEVEN, audio=True)
    restore_video(MODEL, source, target)
    before, after = contents(source), contents(target)
    assert after.times == before.times == [Fraction(time, 1000) for time in UNEVEN]
    assert after.packets == before.packets and len(before.packets) > 10


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_turn_tags_shape_titles_and_chapters_stay(suffix, tmp_path):
    def prepare(container, stream):
        context = stream.codec_context
        stream.set_display_rotation(90)
        context.sample_aspect_ratio = Fraction(4, 3)
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 9, 9, 16
        container.metadata["title"] = "Holiday"
        stream.metadata["language"] = "deu"
        chapter = {"start": 0, "end": 100, "time_base": Fraction(1, 1000)}
        container.set_chapters([{"id": 1, **chapter, "metadata": {"title": "one"}}])

    write_video(tmp_path / f"clip{suffix}", noise(3), prepare=prepare)
    restore_video(MODEL, tmp_path / f"clip{suffix}", tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        assert (frame.width, frame.height, frame.rotation) == (64, 48, 90)
        assert (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 9, 9, 16)
        assert stream.sample_aspect_ratio == Fraction(4, 3) and stream.average_rate == 25
        assert container.metadata["title"] == "Holiday" and stream.language == "deu"
        (chapter,) = container.chapters()
        assert chapter["metadata"] == {"title": "one"} and chapter["end"] * chapter["time_base"] == Fraction(1, 10)


@pytest.mark.parametrize(("given", "size", "kept"), [("yuv420p10le", 32, "yuv420p10le"), ("yuv422p", 32, "yuv422p")])
def test_depth_and_subsampling_stay(given, size, kept, tmp_path):
    write_video(tmp_path / "clip.mp4", noise(2, size, size), pix_fmt=given)
    restore_video(MODEL, tmp_path / "clip.mp4", tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].pix_fmt == kept


def test_odd_frames_keep_their_size(tmp_path, caplog):
    """H.264 halves colour for even sizes only: 33x21 three times larger is 4:4:4, and said to be."""
    write_video(tmp_path / "clip.mkv", noise(2, 21, 33), codec="ffv1", level="3")
    model = network("espcn", 3, **REDUCED["espcn"])
    restore_video(model, tmp_path / "clip.mkv", tmp_path / "out.mkv")
    assert contents(tmp_path / "out.mkv").frames[0].shape == (63, 99, 3)
    assert "colour becomes yuv444p, because yuv420p needs an even size" in caplog.text


def test_an_interrupted_run_leaves_nothing(tmp_path):
    """A signal that comes between frames ends the threads too."""
    write_video(tmp_path / "clip.mp4", noise(40))
    threads = threading.active_count()

    def interrupt(done, total):
        if done == 20:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt), signals_as_exceptions():
        restore_video(MODEL, tmp_path / "clip.mp4", tmp_path / "out" / "clip.mp4", progress=interrupt)
    assert list((tmp_path / "out").iterdir()) == []
    assert threading.active_count() <= threads


def test_videos_that_end_early_are_restored_with_a_warning(tmp_path, caplog):
    write_video(tmp_path / "clip.mkv", noise(60, 64, 64))
    whole = (tmp_path / "clip.mkv").read_bytes()
    (tmp_path / "clip.mkv").write_bytes(whole[: len(whole) // 2])
    count = restore_video(MODEL, tmp_path / "clip.mkv", tmp_path / "out.mkv")
    assert 20 < count < 35 and f"its frames end after {count / 25:.1f} of 2.4 seconds" in caplog.text


def test_sound_that_is_a_little_longer_is_no_damage(tmp_path, caplog):
    write_video(tmp_path / "clip.mkv", noise(3), audio=True)
    restore_video(MODEL, tmp_path / "clip.mkv", tmp_path / "out.mkv")
    assert not caplog.text


def test_progress_counts_frames(tmp_path):
    write_video(tmp_path / "clip.mp4", noise(5))
    told = []
    restore_video(MODEL, tmp_path / "clip.mp4", tmp_path / "out.mp4", progress=lambda *counts: told.append(counts))
    assert told == [(i, 5) for i in range(1, 6)]


def test_broken_weights_write_nothing(tmp_path):
    write_video(tmp_path / "clip.mp4", noise(3))
    broken = network("espcn", 2, **REDUCED["espcn"])
    broken.params["Conv_0" if "Conv_0" in broken.params else next(iter(broken.params))]["bias"] *= np.nan
    with pytest.raises(UserError, match="non-finite"):
        restore_video(broken, tmp_path / "clip.mp4", tmp_path / "out" / "clip.mp4")
    assert list((tmp_path / "out").iterdir()) == []


def test_networks_that_need_more_than_a_frame_are_refused():
    model = SimpleNamespace(name="srntt-x4", needs=("reference",))
    with pytest.raises(UserError, match="srntt-x4 needs reference for each photo; videos take another model"):
        check_video_model(model)
