"""`inkling-trainer convert`: the same weights in less room, and what that costs."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from shared.errors import DataError
from shared.feedforward import FeedForward
from shared.precision import PRECISIONS, reduce, restore
from shared.weights import export_weights, load_weights
from trainer.commands.options import Commands, add_data, check_kept_apart, check_output, load_data
from trainer.evaluation import evaluate, query_dataset
from trainer.reports import output


def add_parser(commands: Commands) -> None:
    """Add `convert` to the command line."""
    parser = commands.add_parser(
        "convert",
        help="keep a network's weights in less room",
        description="Write a weights file again, with its link weights kept less exactly: half the room as "
        "float16, a quarter as 8-bit whole numbers with a scale for each row. The Pi reads all of them, as "
        "quickly. What it costs is measured and written into the model card.",
    )
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="a weights file")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the new weights file"
    )
    parser.add_argument(
        "--store", choices=PRECISIONS, default="int8", help="how to keep link weights (default: %(default)s)"
    )
    add_data(parser, "measure the cost on it rather than on MNIST's test images")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out `inkling-trainer convert`."""
    check_output(options.output)
    check_kept_apart([("--output", options.output)], [("--data", options.data)])
    trained = load_weights(options.weights)
    size_before = options.weights.stat().st_size  # of a file that may be the new one, too
    dataset = load_data(options.data, options, test=True)
    if not dataset.digits:
        raise DataError(f"{dataset.name}: no digits in it to measure the cost on")
    converted = FeedForward(
        [restore(reduce(matrix, options.store)) for matrix in trained.network.weights],
        trained.network.biases,
        trained.network.activation,
    )
    before, after = (evaluate(network, dataset) for network in (trained.network, converted))
    read = [query_dataset(network, dataset).argmax(axis=1) for network in (trained.network, converted)]
    figures = {
        "images": after.images,
        "accuracy": round(after.accuracy, 6),
        "accuracy_before": round(before.accuracy, 6),
        "read_otherwise": int((read[0] != read[1]).sum()),
    }
    metrics = {**trained.card.metrics, f"as {options.store}": figures}
    sha256 = export_weights(
        options.output, trained.network, replace(trained.card, metrics=metrics), options.store
    )
    size = options.output.stat().st_size
    if options.json:
        print(json.dumps({"sha256": sha256, "store": options.store, "bytes": size, **figures}))
        return 0
    output.print(
        f"{options.output}: {size / 1000:,.0f} kB as {options.store}; {options.weights} had "
        f"{size_before / 1000:,.0f} kB as {trained.precision}"
    )
    output.print(
        f"{after.accuracy:.2%} of {after.images:,} digits read right, {before.accuracy:.2%} before; "
        f"{figures['read_otherwise']:,} are read otherwise"
    )
    return 0
