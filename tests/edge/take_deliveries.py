"""A process that takes deliveries one after the other, to be killed in the middle.

python take_deliveries.py STATE KEY DELIVERY...
"""

import sys
from pathlib import Path

from edge.deliveries import Deliveries
from edge.health import Health
from edge.weights_store import WeightsStore
from shared.weights import load_weights


def main() -> None:
    state, key, *paths = sys.argv[1:]
    deliveries = Deliveries(load_weights(), WeightsStore(Path(state)), (key,), "bench", 0.0, 0.1, Health())
    for path in paths:
        deliveries.take(Path(path).read_bytes(), for_all=False)
        for _ in range(20):
            deliveries.observe(0.01)
        deliveries.judge()


if __name__ == "__main__":
    main()
