"""Video files read and written by PyAV, an extra: frames as arrays, everything else copied as it is.

Open `video_files.py` first: which files are videos, and where restored ones go. `video_reader.py` gives frames and the
packets of other streams in the order of the file, `video_writer.py` takes them. `frame_formats.py` converts between the
pixel formats of videos and arrays, `read_ahead.py` does the work of both in threads.
"""
