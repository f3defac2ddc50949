"""Looks through the Pi's camera, saves its frames and tells what comes, a JSON object a line.

`test_pi_camera` starts it where the camera is a virtual one, with the settings and how many frames to take.
"""

import json
import sys
from contextlib import closing
from itertools import islice
from threading import Event

import numpy as np

from deploy.virtual_camera.connect import connect
from edge.camera import open_camera
from edge.config import CameraSettings


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def main() -> None:
    connect()
    settings, count = CameraSettings(**json.loads(sys.argv[1])), int(sys.argv[2])
    with closing(open_camera(settings)) as camera:
        frames = camera.frames(Event(), lambda problem: say(problem=problem) if problem else None)
        for number, frame in enumerate(islice(frames, count)):
            np.save(f"/mnt/{number}.npy", frame.pixels)
            say(frame=number)


if __name__ == "__main__":
    main()
