"""Restoring on a Ray cluster: chunks without Ray; and on two nodes, that nothing is lost or done twice by a kill."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from jaxsr.api import cluster_restoring
from jaxsr.api.cluster_restoring import ClusterRun, chunks, on_cluster, prepare_driver
from jaxsr.api.restorers import open_restorer
from jaxsr.api.restoring_files import plan_run
from jaxsr.data.images import photo_size
from jaxsr.data.output_record import NAME
from jaxsr.support.errors import UserError
from tests.helpers.photos import photo

PHOTOS = 96
pytestmark = pytest.mark.optimized  # the network runs for longer than it compiles


@pytest.fixture
def photos(tmp_path):
    """Return a folder of photos of two sizes, one of which is broken."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        Image.fromarray(photo(160 + 8 * (number % 2), 160)).save(folder / f"{number:02d}.png")
    (folder / "broken.png").write_bytes(b"no photo")
    return folder


@pytest.fixture
def address():
    """Yield the address of a cluster of two nodes, which are processes, with a CPU each."""
    pytest.importorskip("ray", reason="ray is missing: pip install 'jaxsr[ray]'")
    from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    yield cluster.address
    cluster.shutdown()


def test_chunks_hold_each_photo_once_and_photos_of_one_size_together(photos):
    paths = sorted(photos.iterdir())
    made = chunks(paths, 2)
    assert sorted(path for chunk in made for path in chunk) == paths
    assert len(made) >= 8 and max(map(len, made)) == len(paths) // 8
    heights = [{photo_size(path) for path in chunk} - {None} for chunk in made]
    assert sum(len(each) > 1 for each in heights) <= 1
    assert [len(chunk) for chunk in chunks(paths, 2, 1)] == [1] * len(paths)
    assert [len(chunk) for chunk in chunks(paths[:3], 8)] == [1, 1, 1]


def test_a_planned_run_goes_to_a_cluster_as_it_is(photos, tmp_path):
    path, out = photos / "00.png", tmp_path / "out"
    planned = plan_run(open_restorer("bicubic", scale=2), {path: out / path.name}, out)
    run = on_cluster(planned, "10.0.0.1:6379")
    assert isinstance(run, ClusterRun) and run.address == "10.0.0.1:6379"
    assert run.todo == planned.todo and run.record is planned.record and not out.exists()


def test_without_ray_and_with_what_others_do_not_see_one_line_says_what_to_do(monkeypatch):
    with pytest.raises(UserError, match="memory://photos is seen by one process alone; name a folder"):
        prepare_driver("auto", ["a.png", "memory://photos"])
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install 'jaxsr\[ray\]'"):
        prepare_driver("auto", ["photos"])


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "--ray= is not an address; write --ray=auto"),
        ("ray://host:1", "is not an address"),
        ("127.0.0.1:1", "no Ray cluster answers at --ray=127.0.0.1:1 .*; start one"),
    ],
)
def test_an_address_where_nothing_answers(monkeypatch, address, message):
    monkeypatch.setattr(cluster_restoring, "ray_module", lambda: None)
    with pytest.raises(UserError, match=message):
        prepare_driver(address, ["photos"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_killed_workers_lose_nothing_and_double_nothing(photos, tmp_path, address):
    with start(photos, tmp_path / "alone") as alone:
        alone.communicate()
    with start(photos, tmp_path / "spread", f"--ray={address}") as spread:
        assert spread.stdout is not None
        printed = [spread.stdout.readline()]
        assert kill_an_actor() and len(list((tmp_path / "spread").glob("*.png"))) < PHOTOS
        printed += spread.stdout
    errors = [Path(f"{tmp_path / name}.errors").read_text().splitlines()[-1] for name in ("alone", "spread")]
    assert spread.returncode == alone.returncode == 1
    assert errors[0] == errors[1] and errors[0].startswith("photos/broken.png: ")
    outputs = [line for line in printed if line.endswith(".png\n")]
    assert len(outputs) == len(set(outputs)) == PHOTOS
    assert contents(tmp_path / "spread") == contents(tmp_path / "alone")
    record = (tmp_path / "spread" / NAME).read_text().splitlines()
    assert len({json.loads(line)["output"] for line in record}) == len(record) == PHOTOS


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_in_a_store_killed_workers_lose_nothing_and_double_nothing(photos, tmp_path, address):
    stores = f"file://{photos}", f"file://{tmp_path}/spread"
    with start(photos, tmp_path / "alone") as alone:
        alone.communicate()
    with start(photos, tmp_path / "spread", f"--ray={address}", stores=stores) as spread:
        assert spread.stdout is not None
        printed = [spread.stdout.readline()]
        assert kill_an_actor() and len(list((tmp_path / "spread").glob("*.png"))) < PHOTOS
        printed += spread.stdout
    errors = Path(f"{tmp_path / 'spread'}.errors").read_text().splitlines()
    assert spread.returncode == 1 and errors[-1].startswith(f"file://{photos}/broken.png: "), errors
    outputs = [line for line in printed if line.endswith(".png\n")]
    assert len(outputs) == len(set(outputs)) == PHOTOS and outputs[0].startswith(f"{stores[1]}/")
    alone_files, spread_files = (contents(tmp_path / name) for name in ("alone", "spread"))
    assert {name: spread_files[name] for name in spread_files if name[0] != "."} == {
        name: alone_files[name] for name in alone_files if name != NAME
    }
    with start(photos, tmp_path / "spread", "--skip_existing", stores=stores) as again:
        assert again.stdout is not None and f"skipped {PHOTOS}, failed 1" in again.stdout.read()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_killed_run_is_continued(photos, tmp_path, address):
    (photos / "broken.png").unlink()
    with start(photos, tmp_path / "out", f"--ray={address}") as first:
        assert first.stdout is not None and first.stdout.readline()
        first.kill()
    assert len(list((tmp_path / "out").glob("*.png"))) < PHOTOS
    with start(photos, tmp_path / "out", f"--ray={address}", "--skip_existing") as second:
        assert second.stdout is not None
        lines = second.stdout.read()
    assert second.returncode == 0, Path(f"{tmp_path / 'out'}.errors").read_text()
    assert f"of {PHOTOS} photos" in lines and "skipped 0" not in lines
    assert len(contents(tmp_path / "out")) == PHOTOS + 1


@pytest.mark.parametrize("deadly", [False, True])
def test_photos_lost_beside_another_are_tried_until_a_round_restores_none(photos, tmp_path, monkeypatch, deadly):
    paths, out = sorted(photos.glob("0*.png")), tmp_path / "out"
    run = on_cluster(plan_run(open_restorer("bicubic", scale=2), {path: out / path.name for path in paths}, out))
    failing = paths[3:4] if deadly else []
    lost, rounds = [paths[:6], paths[2:4], paths[3:4], failing], []

    def outcomes(run, outputs, largest):
        rounds.append((len(outputs), largest))
        for path in set(outputs) - set(lost[len(rounds) - 1]):
            run.restorer.restore_files({path: outputs[path]})
            yield [path], {}

    monkeypatch.setattr(cluster_restoring, "_outcomes", outcomes)
    done = [path for batch in run._finished() for path in batch]
    assert sorted(done) == paths and rounds == [(10, 32), (6, 1), (2, 1), (1, 1)]
    assert list(run.failures) == failing and all("ended 12 times" in line for line in run.failures.values())
    assert set(contents(out)) == {NAME, *(path.name for path in paths if path not in failing)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_photo_that_ends_its_workers_fails_alone(photos, tmp_path, address):
    paths, out = sorted(photos.glob("0*.png")), tmp_path / "out"
    restorer = Deadly(open_restorer("bicubic", scale=2))
    run = on_cluster(plan_run(restorer, {path: out / path.name for path in paths}, out), address)
    done = [path for batch in run.batches() for path in batch]
    assert sorted(done) == paths
    assert list(run.failures) == [paths[3]]
    assert re.search("ended (6|9) times", run.failures[paths[3]])  # 9 where others were lost with it at first
    assert set(contents(out)) == {NAME, *(path.name for path in paths)} - {paths[3].name}


class Deadly:
    """A restorer whose process ends without a word at the photo 03.png."""

    folders_beside = ()

    def __init__(self, restorer):
        self._restorer, self.name, self.scale, self.unit = restorer, "deadly", 2, "tile"

    def batches(self, paths):
        return self._restorer.batches(paths)

    def restore_files(self, outputs, **keywords):
        if "03.png" in {path.name for path in outputs}:
            os._exit(1)
        return self._restorer.restore_files(outputs, **keywords)


def start(photos: Path, output: Path, *flags: str, stores: tuple[str, str] | None = None) -> subprocess.Popen:
    """Return the started command, in the folder of `photos`' parent; OUTPUT.errors gets what it complains of.

    `stores` are addresses of both folders, by which the command names them.
    """
    source, target = stores or (photos.name, output.name)
    line = [sys.executable, "-m", "jaxsr.restore", source, f"--output={target}", "--model=fsrcnn-x2"]
    with Path(f"{output}.errors").open("w") as errors:
        command = [*line, "--ensemble", *flags]
        return subprocess.Popen(command, cwd=photos.parent, stdout=subprocess.PIPE, stderr=errors, text=True)


def kill_an_actor() -> bool:
    """Kill one of the actors of a cluster that this process has started; return whether there was one."""
    psutil = pytest.importorskip("psutil")
    for process in psutil.Process().children(recursive=True):
        if "MapWorker" in " ".join(process.cmdline()):
            process.kill()
            return True
    return False


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file in `folder`."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
