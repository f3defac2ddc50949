#!/usr/bin/python3 -sP
"""`inkling-edge`: runs the package's own modules, with its own paho-mqtt where the system's is too old."""

import sys
from pathlib import Path

FOLDER = "/usr/share/inkling-edge"

# What paho-mqtt has since version 2. Looked for and not imported: that costs a Pi Zero a fifth of a second.
PAHO, PAHO_2 = "paho/mqtt/client.py", "paho/mqtt/enums.py"

installed = next((folder for folder in sys.path if Path(folder, PAHO).is_file()), "")
if not Path(installed, PAHO_2).is_file():
    sys.path.insert(0, f"{FOLDER}/vendor")
sys.path.insert(0, FOLDER)

from edge.__main__ import main  # noqa: E402

sys.exit(main())
