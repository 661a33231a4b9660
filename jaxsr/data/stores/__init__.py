"""Photos in object stores such as S3, reached by fsspec, an extra: listed, fetched and put, never worked on there.

Open `object_stores.py` first: which paths name a store, and what moves files. `api/store_restoring.py` restores
what was fetched.
"""
