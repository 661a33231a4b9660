"""What the page says of uploads that cannot be used."""

from types import SimpleNamespace

import pytest
from PIL import Image

from tests.helpers.odd_photos import picture


@pytest.mark.parametrize(
    ("model", "scale", "field", "line"),
    [
        ("srntt", 4, "references", "wrong.npz: not an image"),
        ("zssr", 2, "kernel_file", "kernel.npz is not a readable .npz file"),
    ],
)
def test_uploads_are_named_without_the_folders_they_lie_in(model, scale, field, line, tmp_path, monkeypatch):
    pytest.importorskip("gradio")
    monkeypatch.setattr("gradio.Warning", lambda *_, **__: None)  # it needs a page
    from jaxsr.gui.page_actions import KERNEL_FILE, Actions
    from jaxsr.gui.visitors import Visitors

    Image.fromarray(picture()).save(tmp_path / "a.png")
    wrong = tmp_path / "wrong.npz"
    wrong.write_bytes(b"neither photo nor kernel")
    uploads = {"photo": str(tmp_path / "a.png"), "model": model, "scale": scale, "format": "png", "ensemble": False}
    uploads |= {"rounds": 1, "steps": 1, "kernel": KERNEL_FILE, "kernel_file": None, "references": None}
    uploads[field] = [str(wrong)] if field == "references" else str(wrong)
    layout = SimpleNamespace(
        asked=SimpleNamespace(inputs={name: name for name in uploads}), shown=SimpleNamespace(status="status")
    )
    actions = Actions(layout, Visitors(tmp_path), max_megapixels=1)  # pyright: ignore[reportArgumentType]
    shown = actions.restore(
        uploads,  # pyright: ignore[reportArgumentType]
        SimpleNamespace(session_hash="one"),  # pyright: ignore[reportArgumentType]
        progress=lambda *_, **__: None,
    )
    assert shown["status"].startswith(line)  # pyright: ignore[reportArgumentType]


def test_what_is_left_out_of_a_photo_is_said(tmp_path, monkeypatch):
    pytest.importorskip("gradio")
    said = []
    monkeypatch.setattr("gradio.Info", lambda line, **_: said.append(line))  # it needs a page
    from jaxsr.gui.page_actions import Actions
    from jaxsr.gui.visitors import Visitors

    image, uploads = Image.fromarray(picture()), tmp_path / "uploads"
    uploads.mkdir()
    image.save(uploads / "a.gif", save_all=True, append_images=[image.rotate(90)])
    image.save(uploads / "b.png")
    actions = Actions(None, Visitors(tmp_path), max_megapixels=1)  # pyright: ignore[reportArgumentType]
    for name in ("a.gif", "b.png"):
        request = SimpleNamespace(session_hash="one")
        assert actions.show_photo(str(uploads / name), request)["visible"]  # pyright: ignore
    assert said == ["a.gif: holds 2 images; the first is taken"]
