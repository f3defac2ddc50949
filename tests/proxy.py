"""A TCP proxy that does to a connection what networks do."""

import socket
import threading
import time
from contextlib import suppress

from deploy.broker import find_free_port


class Proxy:
    """Between a device and its broker, on a port of its own.

    Attributes
    ----------
    swallows : whatever comes from either side is lost without a word, as when a cable is cut
    bytes_per_s : how much goes through in each direction; None for all there is
    delay_s : how much later it comes out
    """

    def __init__(self, to_port: int) -> None:
        self.port = find_free_port()
        self.swallows = False
        self.bytes_per_s: float | None = None
        self.delay_s = 0.0
        self.connections = 0
        self._to_port = to_port
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.listen()

    def listen(self) -> None:
        """Take connections."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Take no connections, and end those that there are."""
        # Whoever is blocked in accept() keeps the port open.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self, *, on_both_sides: bool = True) -> None:
        """End all connections; those to the broker only, and devices are left with half a connection."""
        for near, far in self._pairs:
            for end in (near, far) if on_both_sides else (far,):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        if on_both_sides:
            self._pairs.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                far = socket.create_connection(("127.0.0.1", self._to_port))
            except OSError:
                near.close()
                continue
            self._pairs.append((near, far))
            for source, sink, is_near in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pump, args=(source, sink, is_near), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_near: bool) -> None:
        sent = float("-inf")
        with suppress(OSError):
            while chunk := source.recv(512 if self.bytes_per_s else 65536):
                if self.swallows:
                    continue
                # What comes on the heels of something else was on its way meanwhile.
                if self.delay_s and time.monotonic() > sent + 0.02:
                    time.sleep(self.delay_s)
                if self.bytes_per_s:
                    time.sleep(len(chunk) / self.bytes_per_s)
                sink.sendall(chunk)
                sent = time.monotonic()
        # A broker that closes its end of a cut connection cannot tell the device; one that is spoken to on a
        # connection that it does not know answers with a reset.
        if not self.swallows and (is_near or source.fileno() >= 0):
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it all."""
        self.refuse()
