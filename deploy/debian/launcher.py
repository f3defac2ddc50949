#!/usr/bin/python3 -sP
"""`inkling-edge`: runs the package's own modules, with its own paho-mqtt where the system's is too old."""

import os.path
import sys

FOLDER = "/usr/share/inkling-edge"

# What paho-mqtt has since version 2. Looked for and not imported: that costs a Pi Zero a fifth of a second.
PAHO, PAHO_2 = "paho/mqtt/client.py", "paho/mqtt/enums.py"

installed = next((folder for folder in sys.path if os.path.isfile(f"{folder}/{PAHO}")), "")
if not os.path.isfile(f"{installed}/{PAHO_2}"):
    sys.path.insert(0, f"{FOLDER}/vendor")
sys.path.insert(0, FOLDER)

from edge.__main__ import main  # noqa: E402

sys.exit(main())
