"""When scores say that a network has collapsed."""

import pytest

from jaxsr.training.run.run_log import Collapse
from jaxsr.training.run.score_watch import ScoreWatch


def watch_of(scores, *, stop=True, baseline=30.0, watch=None):
    watch = watch or ScoreWatch()
    for number, psnr in enumerate(scores):
        watch.add(10 * (number + 1), {"psnr": psnr, "ssim": 0.5, "bicubic_psnr": baseline}, stop=stop)
    return watch


def test_the_best_step_is_remembered():
    watch = watch_of([20.0, 31.0, 30.5, 31.0])
    assert (watch.best_step, watch.best, watch.passed, watch.lost, watch.below) == (20, 31.0, True, 0, -1.0)


def test_two_scores_in_a_row_far_below_end_the_run():
    with pytest.raises(
        Collapse, match=r"at step 50 it scores 20\.00 dB, 2 validations in a row over 3 dB below 30\.00 of its input, "
    ):
        watch_of([31.0, 20.0, 28.0, 20.0, 20.0])
    with pytest.raises(Collapse, match="at step 30"):
        watch_of([31.0, 26.9, 26.9])


@pytest.mark.parametrize(
    ("scores", "stop"),
    [
        ([10.0, 12.0, 15.0, 20.0], True),  # it has not passed the baseline yet
        ([31.0, 27.1, 27.1, 27.1], True),  # within the margin
        ([31.0, 20.0, 28.0, 20.0, 28.0], True),  # not in a row
        ([31.0, 20.0, 20.0, 20.0], False),  # not asked for
    ],
)
def test_otherwise_the_run_goes_on(scores, stop):
    watch_of(scores, stop=stop)


def test_not_a_number_is_lost_too():
    with pytest.raises(Collapse):
        watch_of([31.0, float("nan"), float("nan")])


def test_nothing_lies_below_a_baseline_without_bound():
    """Bicubic enlarges flat photos without an error."""
    watch = watch_of([40.0, 41.0, 20.0, 20.0], baseline=float("inf"))
    assert (watch.below, watch.lost, watch.best) == (0.0, 0, 41.0)


def test_a_record_brings_it_back():
    for scores in ([], [31.0, 20.0]):
        watch = watch_of(scores)
        assert ScoreWatch.of_record(watch.record()) == watch
    with pytest.raises(Collapse):
        watch_of([20.0], watch=ScoreWatch.of_record(watch_of([31.0, 20.0]).record()))
