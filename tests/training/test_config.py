"""The config that is made from dataclasses: its types, its names, and that every field is documented."""

import dataclasses
import inspect

import pytest

from jaxsr.models import MODELS
from jaxsr.support.errors import UserError
from jaxsr.training import config as sections
from jaxsr.training.checks import TASK_FIELDS
from jaxsr.training.config import TrainingConfig, default_config, network_of
from jaxsr.training.tasks.task_table import TASKS
from jaxsr.training.training_recipes import check_variant, choose_variant, scale_names, variant_table


def test_fields_keep_their_types():
    config = default_config().lock()
    config.data.patch = 48
    config.optimizer.learning_rate = 1  # a whole number serves as a float
    assert config.optimizer.learning_rate == 1.0
    with pytest.raises(TypeError):
        config.data.patch = "48"
    with pytest.raises(TypeError):
        config.data.exposures = 0.5


def test_a_wrong_field_names_the_nearest():
    config = default_config().lock()
    with pytest.raises(AttributeError, match='Did you mean "batch_size" instead of "batch_sise"'):
        config.batch_sise = 4
    with pytest.raises(AttributeError, match='Did you mean "jitter" instead of "jiter"'):
        config.data.jiter = (0.1,)


def test_options_take_any_field():
    config = default_config()
    config.model.options.feature_channels = 12
    config.optimizer.layer_rates = {"conv3": 0.1}
    assert config.to_dict()["model"]["options"] == {"feature_channels": 12}


def test_both_optimizers_have_the_same_fields():
    config = default_config()
    assert config.adversarial.optimizer.to_dict() == config.optimizer.to_dict()
    config.adversarial.optimizer.learning_rate = 1e-4
    assert config.optimizer.learning_rate == 0.02


def test_every_field_has_a_comment():
    """On its line, or on the one above."""
    lines = inspect.getsource(sections).splitlines()
    kinds = [
        each
        for each in vars(sections).values()
        if dataclasses.is_dataclass(each) and each.__module__ == sections.__name__
    ]
    assert TrainingConfig in kinds and len(kinds) == 10
    for kind in kinds:
        assert kind.__doc__
        for field in dataclasses.fields(kind):
            if dataclasses.is_dataclass(field.type):
                continue  # described by its own class
            number = next(i for i, line in enumerate(lines) if line.startswith(f"    {field.name}: "))
            assert "#" in lines[number] or lines[number - 1].lstrip().startswith("#"), field.name


def test_tasks_own_fields_that_exist():
    flat = {
        name
        for section, fields in default_config().to_dict().items()
        if isinstance(fields, dict)
        for name in ((f"{section}.{field}") for field in fields)
    }
    assert flat >= TASK_FIELDS.keys() and TASKS.keys() >= set(TASK_FIELDS.values())


def test_network_of_a_config():
    config = default_config()
    config.model.options.channels = 3
    assert network_of(config, MODELS["espcn"]).channels == 3
    config.model.scale = 5
    with pytest.raises(UserError, match="espcn has no scale 5"):
        network_of(config, MODELS["espcn"])


def test_variants():
    table = variant_table(scale_names(2, 3), {"": "muon", "paper": "sgd"})
    assert table == {"x2": (2, "muon"), "x3": (3, "muon"), "x2-paper": (2, "sgd"), "x3-paper": (3, "sgd")}
    assert choose_variant("x3-paper", table) == (3, "sgd")
    with pytest.raises(
        UserError,
        match="unknown variant 'x3-papre'; did you mean 'x3-paper'\\? choose one of: x2, x3, x2-paper, x3-paper$",
    ):
        choose_variant("x3-papre", table)
    with pytest.raises(UserError, match="unknown variant 'z'; choose one of: a, b$"):
        check_variant("z", ("a", "b"))
