"""vrrpd's control socket with an instance whose state the test sets. What the real vrrpd does is for test_failover.py."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from pathlib import Path

INSTANCE = "VI_MAIN"


class ControlSocket:
    def __init__(self, path: Path, state: str = "backup") -> None:
        self.state = state
        self.silent = threading.Event()
        self.lags: list[tuple[str, int]] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    while outer.silent.is_set():
                        time.sleep(0.05)
                    self.wfile.write(json.dumps(outer.answer(json.loads(line))).encode() + b"\n")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        self.server = Server(str(path), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def answer(self, request: dict) -> dict:
        if request["command"] == "sync":
            self.lags.append((request["team"], request["lag-ms"]))
            return {"ok": True}
        assert request == {"command": "status"}, request
        return {"ok": True, "status": {"instances": [{"name": INSTANCE, "state": self.state}]}}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
