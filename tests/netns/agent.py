"""agent.py PORT FILE: what HAProxy's agent checks ask; answers every connection with the first line of FILE."""

import socketserver
import sys
from pathlib import Path


class Answer(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(Path(sys.argv[2]).read_text().split("\n")[0].encode() + b"\n")


socketserver.TCPServer.allow_reuse_address = True
with socketserver.TCPServer(("0.0.0.0", int(sys.argv[1])), Answer) as server:
    server.serve_forever()
