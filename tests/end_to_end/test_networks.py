"""What `inkling-trainer` makes of networks: reports, comparisons, conversions, experiments."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from shared.weights import ModelCard, export_weights, load_weights
from tests.end_to_end.commands import TRAINER, run
from trainer.datasets import NO_DIGIT, Dataset, load_dataset, save_dataset
from trainer.settings import Settings
from trainer.training import train

# Two workers in processes of their own, until standard input ends; then what each of them did.
CLUSTER = """
import sys
from distributed import Client, LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
        with Client(cluster) as client:
            print(list(client.run(lambda dask_worker: dask_worker.state.executed_count).values()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, drawn_digits):
    """Two networks, and the pictures they learnt from with some of no digit."""
    scribbles = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    both = drawn_digits.join(Dataset("", scribbles, np.full(20, NO_DIGIT, np.uint8)))
    folder = tmp_path_factory.mktemp("networks")
    save_dataset(both, folder / "digits.npz")
    save_dataset(both.take(np.flatnonzero(both.labels == NO_DIGIT)), folder / "no_digits.npz")
    save_dataset(both.take(np.flatnonzero(both.labels < 5)), folder / "small_digits.npz")
    for name, learning_rate in (("good.npz", 0.4), ("bad.npz", 1e-6)):
        network = train(drawn_digits, Settings(hidden=(30,), learning_rate=learning_rate, epochs=6)).network
        card = ModelCard.describe(network, {"note": "<script>alert('&')</script>"}, [], {})
        export_weights(folder / name, network, card)
    return folder


def test_evaluate_tells_the_interval_and_draws_the_worst_mistakes(folder):
    evaluate = (TRAINER, "evaluate", "bad.npz", "--data", "digits.npz")
    pictures = ("--mistakes", "m.png", "--picture", "c.svg")
    figures = json.loads(run(*evaluate, *pictures, "--json", cwd=folder).stdout)
    # Matplotlib draws letters as curves, and says in comments what they are.
    name = f"bad.npz ({figures['weights'][:12]})"
    assert f"digits.npz, read by {name}" in (folder / "c.svg").read_text()
    low, high = figures["interval"]
    assert low < figures["accuracy"] < high
    with Image.open(folder / "m.png") as picture:
        assert picture.size[0] > 1000
    assert re.search(r"95% interval \d+\.\d\d% to", run(*evaluate, cwd=folder).stdout.replace("\n", " "))


def test_compare_tells_the_better_one_from_chance(folder):
    compare = (TRAINER, "compare", "bad.npz", "good.npz", "--data", "digits.npz")
    figures = json.loads(run(*compare, "--json", cwd=folder).stdout)
    assert figures["better"] == 1
    assert figures["p_value"] < 0.001
    assert figures["both"] + figures["first_only"] == figures["correct"][0]
    assert "good.npz is better: McNemar's test" in run(*compare, cwd=folder).stdout
    same = run(TRAINER, "compare", "good.npz", "good.npz", "--data", "digits.npz", cwd=folder).stdout
    assert "both files hold the same weights" in same
    assert "chance alone may have made the difference: McNemar's test, p = 1" in same


@pytest.mark.parametrize("store", ["float16", "int8"])
def test_what_was_converted_reads_alike_and_says_what_it_cost(folder, store):
    convert = (TRAINER, "convert", "good.npz", "--store", store, "--data", "digits.npz", "-o", "c.npz")
    figures = json.loads(run(*convert, "--json", cwd=folder).stdout)
    assert figures["bytes"] == (folder / "c.npz").stat().st_size < 0.6 * (folder / "good.npz").stat().st_size
    assert figures["accuracy"] == pytest.approx(figures["accuracy_before"], abs=0.01)
    assert figures["images"] == len(load_dataset(folder / "digits.npz")) - 20  # which are of no digit
    card = json.loads(run(TRAINER, "show", "c.npz", "--json", cwd=folder).stdout)
    assert card["store"] == store
    assert card["sha256"] == figures["sha256"]
    assert card["metrics"][f"as {store}"]["read_otherwise"] == figures["read_otherwise"]
    evaluated = run(TRAINER, "evaluate", "c.npz", "--data", "digits.npz", "--json", cwd=folder)
    assert json.loads(evaluated.stdout)["accuracy"] == pytest.approx(figures["accuracy"], abs=1e-6)
    assert f"as {store}" in run(*convert, cwd=folder).stdout


def test_no_digits_tell_nothing_of_what_converting_costs(folder):
    result = run(TRAINER, "convert", "good.npz", "--data", "no_digits.npz", "-o", "n.npz", cwd=folder)
    assert result.returncode == 1
    assert "no_digits.npz: no digits in it to measure the cost on" in result.stderr
    assert not (folder / "n.npz").exists()


def test_what_is_converted_in_place_tells_both_sizes(folder):
    content = (folder / "good.npz").read_bytes()
    (folder / "place.npz").write_bytes(content)
    convert = (TRAINER, "convert", "place.npz", "--data", "digits.npz", "-o", "place.npz")
    said = " ".join(run(*convert, cwd=folder).stdout.split())
    after = (folder / "place.npz").stat().st_size
    assert f"{after / 1000:,.0f} kB as int8; place.npz had {len(content) / 1000:,.0f} kB as float32" in said


def test_a_strangers_card_commands_no_terminal(folder):
    network = load_weights(folder / "good.npz").network
    evil = "\x1b]0;mine\x07\x1b[2J\r\u202e\u200b"
    card = ModelCard.describe(
        network, {"note": evil, evil: 1}, [{"name": evil, "n": {evil: evil}}], {evil: {evil: 1}}
    )
    export_weights(folder / "evil.npz", network, card)
    shown = run(TRAINER, "show", "evil.npz", cwd=folder).stdout
    assert not set("\x1b\x07\r\u202e\u200b") & set(shown)
    assert shown.replace("\n", "").count("x1b") >= 5


def test_a_report_is_one_page_that_needs_nothing_else(folder):
    result = run(TRAINER, "report", "bad.npz", "--data", "digits.npz", "-o", "r.html", cwd=folder)
    assert result.returncode == 0, result.stderr
    page = (folder / "r.html").read_text()
    for part in ("Digit by digit", "Confusion matrix", "The worst mistakes", "Model card", "in mind", "<svg"):
        assert part in page
    assert page.count("data:image/png;base64,") > 40
    # Nothing is fetched: all that names another place is the name of the picture's own language.
    links = re.findall(r"""(?:src|href)=["']?([^"'\s>]+)|url\(([^)]+)\)""", page)
    assert all(one.startswith(("data:", "#")) for pair in links for one in pair if one)
    assert "prefers-color-scheme: dark" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert load_weights(folder / "bad.npz").sha256 in page


def test_a_report_names_a_data_set_whatever_it_is_called(folder):
    data = folder / "bad\udcff.npz"
    data.write_bytes((folder / "small_digits.npz").read_bytes())
    result = run(TRAINER, "report", "good.npz", "--data", data, "-o", "n.html", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert r"(bad\udcff.npz)" in (folder / "n.html").read_text()


def test_a_report_on_some_digits_leaves_out_what_needs_all(folder):
    result = run(TRAINER, "report", "good.npz", "--data", "small_digits.npz", "-o", "s.html", cwd=folder)
    assert result.returncode == 0, result.stderr
    page = (folder / "s.html").read_text()
    assert "Confusion matrix" in page
    assert "in mind" not in page


def test_backquery_draws_three_pictures_of_each_digit(folder):
    result = run(TRAINER, "backquery", "good.npz", "--data", "digits.npz", cwd=folder)
    assert "three pictures of each digit drawn to mind.png" in result.stdout
    with Image.open(folder / "mind.png") as picture:
        assert picture.size[0] > 1000


def test_an_experiment_gives_a_picture_and_a_table_alone_and_on_a_cluster(folder):
    pytest.importorskip("distributed")
    experiment = (TRAINER, "experiment", "hidden-nodes", "--data", "digits.npz", "--quick")
    alone = run(*experiment, "--jobs", "1", "-o", "alone", cwd=folder)
    assert alone.returncode == 0, alone.stderr
    assert {path.name for path in (folder / "alone").iterdir()} == {
        f"hidden-nodes.{suffix}" for suffix in ("csv", "png", "svg", "trials.json")
    }
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    ) as cluster:
        assert cluster.stdin is not None
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip()
        together = run(*experiment, "--scheduler", address, "-o", "together", "--json", cwd=folder)
        assert together.returncode == 0, together.stderr
        cluster.stdin.close()
        assert all(json.loads(cluster.stdout.readline())), "one of the workers did nothing"
    tables = [(folder / name / "hidden-nodes.csv").read_text() for name in ("alone", "together")]
    assert tables[0] == tables[1]
    rows = json.loads(together.stdout)["rows"]
    assert [row["value"] for row in rows] == [5, 20, 100, 400]
    assert all(len(row["accuracies"]) == 2 for row in rows)


def test_two_jobs_give_the_same_table_as_one(folder):
    for jobs in ("1", "2"):
        experiment = (TRAINER, "experiment", "damage", "--data", "digits.npz", "--quick", "--jobs", jobs)
        result = run(*experiment, "-o", jobs, cwd=folder)
        assert result.returncode == 0, result.stderr
    assert (folder / "1" / "damage.csv").read_text() == (folder / "2" / "damage.csv").read_text()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("compare", "good.npz", "none.npz"), "no weights file at none.npz"),
        (("convert", "good.npz", "-o", "none/w.npz"), "to write w.npz to: make it first"),
        (("report", "good.npz", "-o", "."), ". is a folder: name a file to write to"),
        (("backquery", "good.npz", "-o", "mind.txt"), "--output mind.txt must end in .png, .svg, .pdf"),
        (("evaluate", "good.npz", "--mistakes", "m.txt"), "--mistakes m.txt must end in .png"),
        (("experiment", "noise", "-o", "/proc"), "/proc/noise.trials.json cannot be written (No such file"),
        (("experiment", "noise", "-o", "good.npz"), "good.npz is no folder: name one to write to"),
        (("experiment", "noise", "--seeds", "0"), "--seeds must be 1 or more"),
        (
            ("experiment", "noise", "--data", "digits.npz", "--quick", "--scheduler", "nonsense"),
            "no Dask scheduler at nonsense: start one with",
        ),
    ],
)
def test_wrong_input_gives_one_line_that_says_what_to_do(folder, command, said):
    result = run(TRAINER, *command, cwd=folder)
    assert result.returncode == 1
    assert result.stderr.startswith("inkling-trainer: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
