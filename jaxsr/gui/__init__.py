"""The local page of `python -m jaxsr.app`: a photo in, a model and its options, before and after, the file to keep.

`serving.py` starts and ends the page, `page_layout.py` lays it out with Gradio, the extra `[app]`, and says what its
buttons do. The others know nothing of Gradio: `model_choices.py` has the models and which options each takes,
`photo_jobs.py` restores one photo as `python -m jaxsr.restore` does, `visitors.py` keeps the files of visitors apart.
Open first: `photo_jobs.py`.
"""
