"""Runs of videos: one that fails leaves the others alone."""

from pathlib import Path

import pytest
from jax.errors import JaxRuntimeError

from jaxsr.api import videos
from jaxsr.api.restorers import open_restorer
from jaxsr.api.videos import plan_videos


@pytest.mark.parametrize("error", [MemoryError(), JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating")])
def test_a_video_that_does_not_fit_into_memory_is_named_and_the_others_are_done(error, monkeypatch, tmp_path):
    def restored(restorer, source, target, crf):
        if source == Path("large.mp4"):
            raise error
        target.touch()
        return f"{target}"

    monkeypatch.setattr(videos, "_restored", restored)
    outputs = {Path(name): tmp_path / name for name in ("large.mp4", "small.mp4")}
    failures = plan_videos(open_restorer("bicubic"), outputs, tmp_path, crf=17).restore()
    line = "large.mp4: does not fit into memory; make it smaller, or use a smaller tile"
    assert failures == {Path("large.mp4"): line} and outputs[Path("small.mp4")].exists()
