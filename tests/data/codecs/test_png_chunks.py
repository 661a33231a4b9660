import io
import struct

from jaxsr.data.codecs.png_chunks import colour_chunks, is_animated, text_chunk, with_chunks
from tests.helpers.odd_photos import chunk, encoded, png_with

LINEAR = (b"gAMA", struct.pack(">I", 100_000))


def test_chunks_go_in_after_the_header_and_come_out_again():
    plain = encoded("PNG")
    assert b"".join(with_chunks(plain, [])) == plain
    added = b"".join(with_chunks(plain, [LINEAR]))
    assert added == png_with(chunk(*LINEAR))
    assert colour_chunks(io.BytesIO(added)) == (LINEAR,) and colour_chunks(io.BytesIO(plain)) == ()
    assert b"".join(with_chunks(added, [], without=[b"gAMA"])) == plain


def test_broken_chunks_and_those_of_srgb_are_no_colours():
    broken = png_with(chunk(*LINEAR, checksum=1), chunk(b"gAMA", struct.pack(">I", 45455)))
    assert colour_chunks(io.BytesIO(broken)) == ()
    assert colour_chunks(io.BytesIO(broken[:40])) == ()


def test_animations():
    assert is_animated(io.BytesIO(png_with(chunk(b"acTL", struct.pack(">II", 2, 0)))))
    assert not is_animated(io.BytesIO(png_with(chunk(b"acTL", struct.pack(">II", 1, 0)))))


def test_texts_by_length_and_alphabet():
    assert text_chunk("a", "b") == (b"tEXt", b"a\0b")
    assert text_chunk("a", "ë") == (b"iTXt", b"a\0\0\0\0\0" + "ë".encode())
    assert text_chunk("a", "b" * 2000)[0] == b"zTXt"
