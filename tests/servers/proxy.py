"""A TCP proxy in front of a test server, which can be told to go wrong."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """``trouble``: "" passes everything on; "silent" takes what is sent and answers nothing; "lost reply"
    passes requests on and breaks off before the answer; "refuse" breaks off at once; "late" is slow."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.trouble = ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    @contextmanager
    def before(cls, port: int) -> Iterator[Proxy]:
        proxy = cls(port)
        try:
            yield proxy
        finally:
            proxy.close()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection there is."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                if self.trouble == "refuse":
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._to))
                self._open += [client, server]
                for one, other, back in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._carry, args=(one, other, back), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, back: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(65_536):
                if back and self.trouble == "late":
                    time.sleep(1)
                if back and self.trouble == "silent":
                    continue
                if back and self.trouble == "lost reply":
                    break
                other.sendall(piece)
        for each in (one, other):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
