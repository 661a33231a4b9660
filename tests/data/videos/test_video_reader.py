"""Videos as frames and packets; files that are none, or are damaged."""

from pathlib import Path

import av
import pytest

from jaxsr.data.videos.video_reader import Frame, open_video
from jaxsr.support.errors import UserError
from tests.helpers.photos import photo
from tests.helpers.videos import add_noise, write_video


def test_frames_and_packets_come_in_the_order_of_the_file(tmp_path):
    write_video(tmp_path / "clip.mkv", [photo(32, 32)] * 30, audio=True)
    with open_video(tmp_path / "clip.mkv", 2) as reader:
        items = list(reader.items())
        assert reader.frames == 30 and reader.rate == 25
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.time for frame in frames] == list(range(0, 1200, 40))
    assert len(items) > 40 and isinstance(items[-1], Frame) != isinstance(items[0], Frame)


def test_raw_streams_have_times_by_their_rate(tmp_path):
    write_video(tmp_path / "clip.mp4", [photo(32, 32)] * 4, bf="0", qp="0")
    with av.open(str(tmp_path / "clip.mp4")) as container, (tmp_path / "clip.h264").open("wb") as file:
        (filtered,) = [av.bitstream.BitStreamFilterContext("h264_mp4toannexb", container.streams.video[0])]
        for packet in container.demux():
            file.write(b"".join(bytes(part) for part in filtered.filter(packet if packet.size else None)))
    with open_video(tmp_path / "clip.h264", 2) as reader:
        seconds = [float(item.time * reader.time_base) for item in reader.items() if isinstance(item, Frame)]
    assert seconds == pytest.approx([0, 0.04, 0.08, 0.12])


def sound(path):
    with av.open(str(path), "w") as container:
        add_noise(container, container.add_stream("aac", rate=16000))


def cut(path):
    write_video(path, [photo(32, 32)] * 4)
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"no video" * 100), r"damaged, or no video \(.*\); copy it again"),
        (lambda path: path.touch(), "damaged, or no video"),
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "directory|damaged"),
        (sound, "no pictures that move"),
        (cut, "damaged, or no video"),
    ],
)
def test_what_is_no_video(make, message, tmp_path):
    make(tmp_path / "clip.mp4")
    with pytest.raises(UserError, match=message), open_video(tmp_path / "clip.mp4", 2):
        pass


def test_what_stands_before_a_colon_is_no_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("12:30.mkv", "file:a.mkv"):
        write_video(tmp_path / name, [photo(32, 32)] * 2)
        with open_video(Path(name), 2) as reader:
            assert len(list(reader.items())) == 2


def test_frames_that_cannot_be_decoded_are_left_out(tmp_path):
    path = tmp_path / "clip.mkv"
    write_video(path, [photo(32, 32, seed=seed) for seed in range(8)], g="1")  # each frame stands alone
    with av.open(str(path)) as container:
        broken = [packet for packet in container.demux() if packet.size][4]
    whole = path.read_bytes()
    path.write_bytes(whole.replace(bytes(broken), bytes(broken.size)))
    with open_video(path, 2) as reader:
        times = [item.time for item in reader.items() if isinstance(item, Frame)]
        assert times == [0, 40, 80, 120, 200, 240, 280]
        assert reader.damage() == "1 frames cannot be decoded and are left out"


@pytest.mark.parametrize(("count", "audio"), [(50, False), (10, True)])
def test_joined_videos_whose_times_begin_again_are_refused(count, audio, tmp_path):
    """Otherwise all frames of the second would be shown at once, or its sound be refused at the end."""
    path = tmp_path / "clip.ts"
    write_video(path, [photo(32, 32)] * count, audio=audio)
    path.write_bytes(2 * path.read_bytes())
    with (
        pytest.raises(UserError, match=r"time stamps jump back from \d.* to 0.* joined; cut it there, or let FFmpeg"),
        open_video(path, 2) as reader,
    ):
        list(reader.items())
