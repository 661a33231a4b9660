"""Photo files decoded and encoded: libvips for the common formats, Pillow for the few that libvips lacks.

Open `photo_formats.py` first: one table of the formats, their suffixes, decoders and limits. `photo_record.py` has what
a photo is; `vips_reader.py` and `vips_writer.py` turn files into it and back by `vips_library.py`; `jpeg_repair.py`
judges JPEG files that end early; `pillow_photos.py` does the same for PIL images; `tag_blocks.py` (EXIF, the tags of
TIFF) and `png_chunks.py` keep the metadata that libvips does not.
"""
