"""Photo files decoded and encoded: libvips for the common formats, Pillow for the few that libvips lacks.

Open `photo_formats.py` first: one table of the formats, their suffixes, decoders and limits. `photo_record.py` has what
a photo is. `vips_reader.py` (with `vips_layouts.py` for samples, `vips_metadata.py`, and `jpeg_repair.py` for files
that end early) and `vips_writer.py` turn files into it and back, by `vips_library.py`; `pillow_photos.py` does so for
PIL images. `tag_blocks.py` and `tag_writer.py` (EXIF, the tags of TIFF) and `png_chunks.py` keep what libvips does not.
"""
