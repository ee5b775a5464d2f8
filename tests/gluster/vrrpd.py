"""The real vrrpd on a machine of the cluster."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess

from cluster import NETWORK
from machine import Machine, build_directory, wait_until

ADDRESS = f"{NETWORK}.100"


class Vrrpd:
    def __init__(self, machine: Machine, priority: int, instance_keys: dict | None = None,
                 sections: dict | None = None) -> None:
        self.machine = machine
        self.socket = machine.socket.with_name("vrrpd")
        instance = {"name": "VI_MAIN", "interface": "eth0", "vrid": 51, "priority": priority,
                    "addresses": [f"{ADDRESS}/24"], "lease": "off", "advertisement_interval": "100ms",
                    **(instance_keys or {})}
        config = machine.directory / "vrrpd.yaml"
        config.write_text(json.dumps({"instances": [instance], "control": {"socket": str(self.socket)}, **(sections or {})}))
        self.log_file = machine.directory / "vrrpd.log"
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [*machine.prefix, str(build_directory() / "vrrpd" / "vrrpd"), "--config", str(config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(self.socket.exists, f"vrrpd's socket\n{self.log()}")

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def instance(self) -> dict:
        """Its only one, as `vrrpctl status` tells it."""
        words = [str(build_directory() / "vrrpd" / "vrrpctl"), "--socket", str(self.socket), "status", "--json"]
        done = subprocess.run([*self.machine.prefix, *words], capture_output=True, text=True, timeout=10)
        return json.loads(done.stdout)["instances"][0]

    def track(self, name: str) -> dict:
        return next(track for track in self.instance()["tracks"] if track["name"] == name)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait()
