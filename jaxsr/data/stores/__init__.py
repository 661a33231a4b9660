"""Photos in object stores such as S3, reached by fsspec, an extra: listed, fetched and put, never worked on there.

Open `object_stores.py` first, which lists and moves files; `store_paths.py` knows which paths name a store.
`api/store_restoring.py` restores what was fetched.
"""
