"""The video benchmark: its peers are optional, and their frames are compared first."""

import numpy as np
import pytest

from benchmarks import video


def test_absent_peers_have_a_reason(monkeypatch):
    monkeypatch.setattr(video, "find_spec", lambda name: None)
    reasons = video.absent("")
    assert reasons.pop(video.WHOLE_FILE) == "av is not installed"
    assert reasons == {"PyTorch": "torch is not installed", "OpenCV": "cv2 is not installed"}
    assert [row.labels for row in video.rows(1, "", 1)] == [("jaxsr",)]  # which is measured without them
    monkeypatch.setattr(video, "find_spec", lambda name: name)
    assert video.absent("") == {"OpenCV": "no --opencv_model"}
    assert video.absent("ESPCN_x3.pb") == {}


def test_frames_that_differ_end_the_benchmark():
    frame = np.full((40, 40, 3), 100, np.uint8)
    video.compare([frame], [frame + 2])
    with pytest.raises(ValueError, match="differ by 3 levels"):
        video.compare([frame], [frame + 3])
