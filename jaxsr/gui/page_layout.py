# Gradio makes the events of its components at run time, which a type checker cannot follow.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false, reportCallIssue=false
"""The page, laid out with Gradio; `page_actions.py` says what its buttons do."""

import dataclasses
from typing import Any, TypeAlias

import gradio as gr  # pyright: ignore[reportMissingImports]  # the extra [app]
from gradio.components import Component  # pyright: ignore[reportMissingImports]

from jaxsr.data.codecs.photo_formats import PHOTO_SUFFIXES
from jaxsr.data.samples import sample_files
from jaxsr.gui.model_choices import ModelChoice, model_choice, offered_models

Value: TypeAlias = Any  # of a component: text, a number, paths of files, or Gradio's update of any of its settings
FORMATS = ["png", "tif", "jpg", "webp", "avif"]
STEPS = 1000  # of ZSSR at first; its own default of 3000 is for those who can wait
MAX_STEPS, MAX_ROUNDS = 3000, 8
BICUBIC_KERNEL, ESTIMATED_KERNEL, KERNEL_FILE = "bicubic", "estimated by KernelGAN", "from a file"
CSS = """
.gradio-container { max-width: 1200px !important; margin: 0 auto !important; }
.jaxsr-status { overflow-wrap: anywhere; }
"""
FONTS, FIXED_FONTS = ["system-ui", "sans-serif"], ["ui-monospace", "monospace"]  # those of the system: none is fetched


@dataclasses.dataclass(frozen=True)
class Asked:
    """The components that say what is asked for, and the groups of those that only some models have."""

    photo: Component
    thumbnail: Component
    examples: Component
    model: Component
    scale: Component
    ensemble: Component
    rounds: Component
    learning: gr.Group
    steps: Component
    kernel: Component
    kernel_file: Component
    references: Component
    format: Component

    @property
    def inputs(self) -> dict[str, Component]:
        """Those whose values a restoration needs."""
        names = "photo model scale ensemble rounds steps kernel kernel_file references format"
        return {name: getattr(self, name) for name in names.split()}


@dataclasses.dataclass(frozen=True)
class Shown:
    """The components that show the result."""

    restore: gr.Button
    cancel: gr.Button
    status: Component
    slider: Component
    files: Component
    rounds: Component
    kernels: Component

    @property
    def outputs(self) -> list[Component]:
        """Those that a restoration sets."""
        return [self.status, self.slider, self.files, self.rounds, self.kernels]


@dataclasses.dataclass(frozen=True)
class Layout:
    """The page, and its components."""

    page: gr.Blocks
    asked: Asked
    shown: Shown


def lay_out(model: str, max_megapixels: float) -> Layout:
    """Return the page without actions, with `model` chosen; raises UserError where there is no such model."""
    choice = model_choice(model)
    with gr.Blocks(title="jaxsr", analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown(
            "# jaxsr\nRestore a photo: published super-resolution, deblurring and blind models. "
            f"Photos of up to {max_megapixels:g} megapixels; they stay on the computer that serves this page."
        )
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                asked = _lay_out_asked(model, choice)
                with gr.Row():
                    restore = gr.Button("Restore", variant="primary", min_width=120)
                    cancel = gr.Button("Cancel", interactive=False, min_width=120)
            with gr.Column(scale=3, min_width=320):
                shown = _lay_out_shown(restore, cancel)
    return Layout(page, asked, shown)


def theme() -> gr.themes.Base:
    """Return a theme that fetches nothing."""
    return gr.themes.Default(font=FONTS, font_mono=FIXED_FONTS)


def _lay_out_asked(model: str, choice: ModelChoice) -> Asked:
    """Return the components that ask, with the options that `model` has."""
    photo, model_fields, learning = _lay_out_photo(), _lay_out_model(model, choice), _lay_out_learning(choice)
    form = gr.Dropdown(FORMATS, value="png", label="Format of the result", filterable=False)
    return Asked(**photo, **model_fields, **learning, format=form)


def _lay_out_photo() -> dict[str, Component]:
    """Return the components for the photo, by name."""
    return {
        "photo": gr.File(label="Photo", file_types=list(PHOTO_SUFFIXES), height=120),
        "thumbnail": gr.Image(label="Photo as it is", visible=False, interactive=False, height=200, buttons=[]),
        "examples": gr.Dataset(
            components=[gr.Textbox(visible=False)],
            samples=[[path.stem] for path in sample_files("validation")],
            label="Examples",
            type="index",
        ),
    }


def _lay_out_model(model: str, choice: ModelChoice) -> dict[str, Component]:
    """Return the components for the model and for what most models take, by name."""
    with gr.Row():
        chosen = gr.Dropdown(
            offered_models(model),
            value=model,
            allow_custom_value=True,
            label="Model",
            info="Or type a weight file or a run folder",
            min_width=180,
            scale=2,
        )
        scale = gr.Dropdown(
            **scale_settings(choice), label="Scale", info="Times larger", filterable=False, min_width=100, scale=1
        )
    ensemble = gr.Checkbox(
        label="Ensemble", info="Average over 8 flips and turns: 8 times slower", visible=choice.ensemble
    )
    return {"model": chosen, "scale": scale, "ensemble": ensemble}


def _lay_out_learning(choice: ModelChoice) -> dict[str, Component]:
    """Return the components for what only DAN, SRNTT and ZSSR take, by name."""
    rounds = gr.Slider(
        1, MAX_ROUNDS, value=max(choice.rounds, 1), step=1, label="Rounds of estimation", visible=choice.rounds > 0
    )
    references = gr.File(
        label="Photos to take texture from; by default the photo itself",
        file_count="multiple",
        file_types=list(PHOTO_SUFFIXES),
        visible=choice.references,
        height=120,
    )
    with gr.Group(visible=choice.learns) as learning:
        steps = gr.Slider(50, MAX_STEPS, value=STEPS, step=50, label="Training steps at most")
        kernels = [BICUBIC_KERNEL, ESTIMATED_KERNEL, KERNEL_FILE]
        kernel = gr.Dropdown(kernels, value=BICUBIC_KERNEL, label="Kernel that reduced the photo", filterable=False)
        kernel_file = gr.File(label="Kernel (.npz, .mat)", file_types=[".npz", ".mat"], height=120, visible=False)
    return {
        "rounds": rounds,
        "references": references,
        "learning": learning,
        "steps": steps,
        "kernel": kernel,
        "kernel_file": kernel_file,
    }


def scale_settings(choice: ModelChoice) -> dict[str, list[tuple[str, int]] | int]:
    """Return the choices and the value of the field for the scale."""
    return {"choices": [(f"× {scale}", scale) for scale in choice.scales], "value": choice.scale}


def _lay_out_shown(restore: gr.Button, cancel: gr.Button) -> Shown:
    """Return the components that show."""
    slider = gr.ImageSlider(
        label="Before, enlarged by bicubic | Restored",
        type="filepath",
        interactive=False,
        max_height=560,
        buttons=["fullscreen"],
    )
    status = gr.Textbox(label="Result", interactive=False, lines=1, elem_classes="jaxsr-status", elem_id="status")
    files = gr.File(label="Files to keep", file_count="multiple", interactive=False, visible=False, elem_id="files")
    kernels = gr.Gallery(
        label="Kernels estimated", visible=False, columns=4, height=220, object_fit="contain", buttons=[], format="png"
    )
    rounds = gr.Gallery(
        label="Rounds", visible=False, columns=4, height=220, object_fit="contain", buttons=["fullscreen"], format="png"
    )
    return Shown(restore, cancel, status, slider, files, rounds, kernels)
