"""The page as text: all of it is inside, names are escaped, and its policy allows nothing else."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from jaxsr.data.images import Metadata, Photo
from jaxsr.pages.comparison_page import render
from jaxsr.pages.records import picture_of
from tests.helpers.pages import HOSTILE, comparison
from tests.helpers.photos import photo


class Tags(HTMLParser):
    """The tags of a page with their attributes, and the text of its scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.inline, self._open = [], {"script": [], "style": []}, ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open in self.inline:
            self.inline[self._open].append(data)

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def test_nothing_is_fetched():
    page = Tags(render([comparison()]))
    for _, attributes in page.tags:
        for name in ("src", "href", "action", "srcset", "background"):
            assert attributes.get(name, "data:").startswith("data:")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
    assert not re.search(r"url\(|@import|https?:", "".join(page.inline["style"] + page.inline["script"]))


def test_the_policy_names_the_script_and_the_style():
    page = Tags(render([comparison()]))
    (policy,) = (each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    for kind in ("script", "style"):
        (text,) = page.inline[kind]
        assert rules[f"{kind}-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.mark.parametrize("where", ["name", "failure", "fact"])
def test_names_are_text(where):
    """However hostile, they add no tag, in whatever part of the page they stand."""
    plain, hostile = (
        Tags(
            render(
                [comparison(text if where == "name" else "a")],
                failures=[text if where == "failure" else "a"],
                facts=[text if where == "fact" else "a"],
            )
        )
        for text in ("photo.png", HOSTILE)
    )
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]


def test_every_picture_is_there_with_words_for_it():
    each = comparison()
    images = [image for image in Tags(render([each])).all("img") if "src" in image]
    assert [image["src"] for image in images] == [picture.uri for layer in each.layers for picture in layer.pictures]
    assert all(image["alt"] for image in images)
    assert each.size == sum(len(base64.b64decode(image["src"].partition(",")[2])) for image in images)


def test_pictures_keep_alpha_and_no_place(tmp_path):
    """A photo of 16 bits is shown with 8, without the metadata that say where it was taken."""
    bands = photo(9, 7, 4, np.uint16)
    metadata = Metadata(xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", comments=(("Title", "secret"),))
    picture = picture_of(Photo(bands[..., :3], bands[..., 3:], metadata=metadata))
    (tmp_path / "a.png").write_bytes(picture.png)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGBA" and image.size == (picture.width, picture.height) == (7, 9)
        np.testing.assert_array_equal(np.asarray(image), np.rint(bands / 257))
    assert b"secret" not in picture.png and b"xmpmeta" not in picture.png
