import csv
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from shared.errors import DataError
from trainer.datasets import NO_DIGIT, Dataset
from trainer.errors import BadSettingError
from trainer.evaluation import measure_accuracy
from trainer.experiment_results import plot_experiment, write_table
from trainer.experiments import EXPERIMENTS, Trial, check_data, run_trial
from trainer.settings import Settings
from trainer.training import train
from trainer.trials import FinishedTrials, Row, run_trials, tabulate

QUICK = Settings(hidden=(20,), epochs=4)


@pytest.fixture(scope="module")
def halves(drawn_digits):
    return drawn_digits.split(200, seed=0)


def run_one(trial, halves):
    learnt, tests = halves
    return run_trial(trial, (learnt.images, learnt.labels), (tests.images, tests.labels))


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("hidden-nodes", lambda settings: settings.hidden[0]),
        ("learning-rate", lambda settings: settings.learning_rate),
        ("epochs", lambda settings: settings.epochs),
    ],
)
def test_one_thing_changes_and_the_rest_stays(name, changed):
    experiment = EXPERIMENTS[name]
    trials = experiment.plan(2, 1000, Settings(), experiment.values)
    assert [changed(trial.settings) for trial in trials] == list(experiment.values) * 2
    assert [trial.settings.seed for trial in trials] == [0] * len(experiment.values) + [1] * len(
        experiment.values
    )
    usual = {field: getattr(Settings(), field) for field in ("batch_size", "biases", "loss", "optimiser")}
    assert all(getattr(trial.settings, field) == usual[field] for trial in trials for field in usual)
    assert {trial.pictures for trial in trials} == {1000}


def test_of_fewer_pictures_each_is_seen_more_often():
    experiment = EXPERIMENTS["training-size"]
    values = experiment.choose_values(5000, quick=False)
    assert values == (100, 300, 1000, 3000, 5000)
    for trial in experiment.plan(1, 5000, Settings(epochs=3), values):
        assert trial.pictures * trial.settings.epochs == pytest.approx(15000, rel=0.02)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_quick_experiment_tries_half_the_values_with_the_first_and_the_last_among_them(name):
    experiment = EXPERIMENTS[name]
    values, quick = (experiment.choose_values(60000, quick=quick) for quick in (False, True))
    assert set(quick) < set(values)
    assert (quick[0], quick[-1]) == (values[0], values[-1])
    assert len(quick) == -(-len(values) // 2)


def test_a_trial_is_what_train_and_evaluate_give(halves):
    learnt, tests = halves
    trial = Trial("epochs", (4,), replace(QUICK, seed=3), len(learnt))
    network = train(learnt, replace(QUICK, seed=3)).network
    assert run_one(trial, halves) == [measure_accuracy(network, tests)]


def test_of_what_is_no_digit_nothing_is_measured(halves):
    learnt, tests = halves
    more = tests.join(Dataset("", tests.images[:50], np.full(50, NO_DIGIT, np.uint8)))
    trial = Trial("epochs", (4,), QUICK, len(learnt))
    assert run_one(trial, (learnt, more)) == run_one(trial, (learnt, tests))


@pytest.mark.parametrize(("name", "values"), [("damage", (0, 0.5, 1)), ("noise", (0, 0.5, 20))])
def test_unharmed_it_reads_as_ever_and_wrecked_it_guesses(halves, name, values):
    learnt, tests = halves
    network = train(learnt, QUICK).network
    unharmed, hurt, wrecked = run_one(Trial(name, values, QUICK, len(learnt)), halves)
    assert unharmed == measure_accuracy(network, tests) > 0.8
    assert unharmed >= hurt > wrecked
    assert wrecked < 0.3


def test_harm_leaves_the_network_as_it_was(halves):
    trial = Trial("damage", (0.9, 0), QUICK, len(halves[0]))
    assert run_one(trial, halves)[1] == run_one(replace(trial, values=(0,)), halves)[0]


def test_weights_that_run_away_are_no_accuracy(halves):
    trial = Trial("learning-rate", (1e38,), replace(QUICK, learning_rate=1e38), len(halves[0]))
    assert np.isnan(run_one(trial, halves)).all()


def plan(halves):
    return EXPERIMENTS["epochs"].plan(2, len(halves[0]), QUICK, (1, 3))


def test_an_experiment_that_was_ended_goes_on_to_the_same_table(tmp_path, halves):
    learnt, tests = halves
    trials = plan(halves)
    whole = FinishedTrials(tmp_path / "whole.json", learnt, tests)
    assert run_trials(trials, whole, learnt, tests, jobs=1)

    shares = []
    path = tmp_path / "parts.json"
    ended = FinishedTrials(path, learnt, tests)
    stops = iter([False, True])
    assert not run_trials(
        trials, ended, learnt, tests, jobs=1, stop=lambda: next(stops), progress=shares.append
    )
    assert shares == [0, 0.25, 0.5]
    assert run_trials(
        trials, FinishedTrials(path, learnt, tests), learnt, tests, jobs=1, progress=shares.append
    )
    assert shares[3:] == [0.5, 0.75, 1]
    resumed = FinishedTrials(path, learnt, tests)
    assert tabulate(trials, resumed) == tabulate(trials, whole)
    assert run_trials(trials, resumed, learnt, tests, jobs=1, progress=shares.append)
    assert shares[6:] == [1]


def test_what_was_finished_on_other_data_does_not_count(tmp_path, halves):
    learnt, tests = halves
    trial = plan(halves)[0]
    FinishedTrials(tmp_path / "t.json", learnt, tests).add(trial, [0.5])
    assert FinishedTrials(tmp_path / "t.json", learnt, tests).find(trial) == [0.5]
    assert FinishedTrials(tmp_path / "t.json", tests, learnt).find(trial) is None
    other = replace(trial, settings=replace(trial.settings, seed=9))
    assert FinishedTrials(tmp_path / "t.json", learnt, tests).find(other) is None


def test_a_run_away_is_kept_too(tmp_path, halves):
    trial = plan(halves)[0]
    FinishedTrials(tmp_path / "t.json", *halves).add(trial, [float("nan")])
    assert np.isnan(FinishedTrials(tmp_path / "t.json", *halves).find(trial)).all()
    json.loads((tmp_path / "t.json").read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"a": 3}', b'{"a": ["x"]}', b'{"a": [2.0]}', b"\xff", b"[" * 100_000]
)
def test_a_damaged_file_of_finished_trials_is_refused(tmp_path, halves, content):
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(DataError, match=r"t\.json: not the finished runs of an experiment: delete it"):
        FinishedTrials(tmp_path / "t.json", *halves)


def test_a_table_tells_the_mean_the_spread_and_who_ran_away():
    rows = [Row(0.1, (0.5, 0.7, 0.6), 3), Row(3, (0.2,), 3), Row(9, (), 3)]
    table = list(csv.reader(write_table(EXPERIMENTS["learning-rate"], rows).decode().splitlines()))
    assert table[0][:3] == ["learning_rate", "seeds", "ran_away"]
    assert table[1] == ["0.1", "3", "0", "0.600000", "0.100000", "0.500000", "0.700000"]
    assert table[2] == ["3", "3", "2", "0.200000", "", "0.200000", "0.200000"]
    assert table[3] == ["9", "3", "3", "", "", "", ""]


def test_the_curve_goes_through_the_means_and_leaves_out_what_ran_away():
    rows = [Row(1, (0.5, 0.7), 2), Row(10, (0.8, 0.9), 2), Row(100, (), 2)]
    (axes,) = plot_experiment(EXPERIMENTS["learning-rate"], rows, "a $setting").axes
    means = axes.lines[-1]
    assert means.get_xdata() == pytest.approx([1, 10])
    assert means.get_ydata() == pytest.approx([60, 85])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "10"]


def test_data_without_digits_are_refused(halves):
    empty = Dataset("scribbles", np.zeros((3, 28, 28), np.uint8), np.full(3, NO_DIGIT, np.uint8))
    for pair in itertools.permutations((halves[0], empty)):
        with pytest.raises(BadSettingError, match="scribbles: no digits in it"):
            check_data(*pair)
