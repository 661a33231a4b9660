# Gradio makes the events of its components at run time, which a type checker cannot follow.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false, reportCallIssue=false
"""What happens on the page: a photo comes, a model is chosen, a restoration begins, ends or is cancelled."""

import html
import shutil
from collections.abc import Mapping
from pathlib import Path

import gradio as gr  # pyright: ignore[reportMissingImports]  # the extra [app]

from jaxsr.data.samples import sample_files
from jaxsr.gui.model_choices import model_choice
from jaxsr.gui.page_layout import (
    BICUBIC_KERNEL,
    ESTIMATED_KERNEL,
    KERNEL_FILE,
    Layout,
    Value,
    lay_out,
    scale_settings,
)
from jaxsr.gui.photo_jobs import Cancelled, PhotoRequest, PhotoResult, check_size, plain_line, restore_upload
from jaxsr.gui.previews import kernel_pictures, round_pictures, slider_pictures, summary, thumbnail
from jaxsr.gui.visitors import Visitors
from jaxsr.support.errors import FAILURES, UserError
from jaxsr.support.messages import logged_here

Values = Mapping[gr.components.Component, Value]
KERNEL_COPY = "kernel"  # the stem of an uploaded kernel's file under a name that options can hold
HIDDEN = {"api_visibility": "private", "show_progress": "hidden"}  # of events


def build_page(visitors: Visitors, *, model: str, max_megapixels: float) -> gr.Blocks:
    """Return the page; raises UserError where there is no such `model`."""
    layout = lay_out(model, max_megapixels)
    actions = Actions(layout, visitors, max_megapixels)
    asked, shown = layout.asked, layout.shown
    with layout.page as page:
        asked.photo.change(actions.show_photo, asked.photo, asked.thumbnail, concurrency_limit=None, **HIDDEN)
        asked.examples.click(actions.take_example, asked.examples, asked.photo, queue=False, **HIDDEN)
        fields = [asked.scale, asked.ensemble, asked.rounds, asked.learning, asked.references]
        asked.model.change(actions.show_options, asked.model, fields, concurrency_limit=None, **HIDDEN)
        asked.kernel.change(actions.show_kernel_file, asked.kernel, asked.kernel_file, queue=False, **HIDDEN)
        buttons = [shown.restore, shown.cancel]
        restoration = shown.restore.click(actions.begin, None, buttons, queue=False, **HIDDEN).then(
            actions.restore,
            set(asked.inputs.values()),
            shown.outputs,
            concurrency_limit=1,
            api_visibility="private",
            show_progress_on=shown.slider,
        )
        for ended in (restoration.success, restoration.failure):
            ended(actions.end, None, buttons, queue=False, **HIDDEN)
        shown.cancel.click(actions.cancel, None, shown.cancel, queue=False, **HIDDEN)
        page.unload(actions.leave)
    return page


class Actions:
    """The functions that Gradio calls, each in a thread."""

    def __init__(self, layout: Layout, visitors: Visitors, max_megapixels: float) -> None:
        """Act on the components of `layout`, for `visitors`."""
        self._layout, self._visitors, self._max_megapixels = layout, visitors, max_megapixels

    def take_example(self, index: int, request: gr.Request) -> str:
        """Return a copy of the sample photo that was clicked: Gradio takes files of the temporary folder alone."""
        return str(shutil.copy(sample_files("validation")[index], self._visitors.visitor(request.session_hash).folder))

    def show_photo(self, path: str | None, request: gr.Request) -> Value:
        """Return a small picture of the photo that was chosen, hidden where there is none or it is too large.

        What is left out of it, as the further images of an animation, is said above the page.
        """
        if path is None:
            return gr.update(value=None, visible=False)
        try:
            check_size(Path(path), self._max_megapixels)
            with logged_here() as notes:
                picture = thumbnail(Path(path), self._visitors.visitor(request.session_hash).folder)
        except FAILURES as error:
            _warn(plain_line(str(error), Path(path)))
            return gr.update(value=None, visible=False)
        for note in notes:
            gr.Info(html.escape(plain_line(note, Path(path))), title="Note", duration=None)
        return gr.update(value=picture, visible=True)

    def show_options(self, model: str) -> list[Value]:
        """Return the scales of `model`, and which options are visible."""
        try:
            choice = model_choice(model)
        except FAILURES as error:
            _warn(plain_line(str(error)))
            return [gr.skip()] * 5
        return [
            gr.update(**scale_settings(choice)),
            gr.update(visible=choice.ensemble),
            gr.update(visible=choice.rounds > 0, value=max(choice.rounds, 1)),
            gr.update(visible=choice.learns),
            gr.update(visible=choice.references),
        ]

    def show_kernel_file(self, kernel: str) -> Value:
        """Return whether the field for a kernel's file is visible."""
        return gr.update(visible=kernel == KERNEL_FILE)

    def begin(self, request: gr.Request) -> list[Value]:
        """Return the buttons while a photo is restored."""
        self._visitors.visitor(request.session_hash).cancelled.clear()
        return [gr.update(interactive=False), gr.update(interactive=True)]

    def end(self) -> list[Value]:
        """Return the buttons afterwards."""
        return [gr.update(interactive=True), gr.update(interactive=False)]

    def cancel(self, request: gr.Request) -> Value:
        """End the visitor's restoration after its tile or step; return the button."""
        self._visitors.visitor(request.session_hash).cancelled.set()
        return gr.update(interactive=False)

    def leave(self, request: gr.Request) -> None:
        """Forget the visitor, whose page was closed."""
        self._visitors.leave(request.session_hash)

    def restore(
        self,
        values: Values,
        request: gr.Request,
        progress=gr.Progress(),  # noqa: B008  # how Gradio passes it
    ) -> dict[gr.components.Component, Value]:
        """Return what is shown of the restored photo, or the line that says why there is none."""
        visitor = self._visitors.visitor(request.session_hash)
        uploads = {name: values[component] for name, component in self._layout.asked.inputs.items()}
        try:
            asked = self._asked_for(uploads, visitor.folder)
            result = restore_upload(
                asked,
                visitor,
                max_megapixels=self._max_megapixels,
                progress=lambda done, total, unit: progress((done, total), desc="Restoring", unit=f"{unit}s"),
            )
            return self._shown(result)
        except Cancelled:
            return {self._layout.shown.status: "Cancelled."}
        except FAILURES as error:
            files = (uploads["photo"], uploads["kernel_file"], *(uploads["references"] or ()))
            copies = visitor.folder.glob(f"{KERNEL_COPY}.*")
            return {self._layout.shown.status: _warn(plain_line(str(error), *copies, *map(Path, filter(None, files))))}

    def _asked_for(self, uploads: Mapping[str, Value], folder: Path) -> PhotoRequest:
        """Return the request in `uploads`, values of the fields, with the options that the model has."""
        choice = model_choice(uploads["model"] or "")
        kernel = ""
        if choice.learns and uploads["kernel"] != BICUBIC_KERNEL:
            kernel = "estimate" if uploads["kernel"] == ESTIMATED_KERNEL else _kernel_file(uploads, folder)
        return PhotoRequest(
            uploads["photo"],
            uploads["model"],
            int(uploads["scale"]),
            uploads["format"],
            ensemble=choice.ensemble and bool(uploads["ensemble"]),
            rounds=int(uploads["rounds"]) if choice.rounds else 0,
            steps=int(uploads["steps"]) if choice.learns else 0,
            kernel=kernel,
            references=(uploads["references"] or ()) if choice.references else (),
        )

    def _shown(self, result: PhotoResult) -> dict[gr.components.Component, Value]:
        """Return the values of the components that show."""
        shown, pictures = self._layout.shown, slider_pictures(result)
        rounds, kernels = round_pictures(result), kernel_pictures(result)
        files = [result.output, *(path for path in result.kernel_files if path.suffix != ".png")]
        return {
            shown.status: summary(result),
            shown.slider: pictures,
            shown.files: gr.update(value=[str(path) for path in files], visible=True),
            shown.rounds: gr.update(value=rounds, visible=len(rounds) > 1),
            shown.kernels: gr.update(value=kernels, visible=bool(kernels)),
        }


def _warn(line: str) -> str:
    """Return `line`, which is also shown above the page, where HTML would be rendered, until it is closed."""
    gr.Warning(html.escape(line), title="Not possible", duration=None)
    return line


def _kernel_file(uploads: Mapping[str, Value], folder: Path) -> str:
    """Return the uploaded kernel's file under a name that options can hold, in `folder`."""
    if not uploads["kernel_file"]:
        raise UserError("no kernel file yet; drop one, or choose another kernel")
    source = Path(uploads["kernel_file"])
    return str(shutil.copy(source, folder / f"{KERNEL_COPY}{source.suffix}"))
