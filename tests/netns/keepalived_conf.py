"""One keepalived.conf, run as it is by keepalived or by ours, each in a lab of its own with a /run of its own."""

from __future__ import annotations

import re
from pathlib import Path

from daemons import build_directory
from lab import Host, Process, wait_for

# Two directories are mounted over /run and /etc/keepalived, the rest is started.
_WITH_OWN_FILES = 'mount --bind "$0" /run && mount --bind "$1" /etc/keepalived && shift && exec "$@"'


class Runner:
    """A daemon on one host that reads `text`."""

    kind = ""
    main: Process

    def __init__(self, host: Host, text: str):
        self.host = host
        self.etc = host.directory / "etc"  # what /etc/keepalived is for it
        self.etc.mkdir(exist_ok=True)
        self.file = self.etc / "keepalived.conf"
        self.file.write_text(text)
        self.run = host.directory / "run"  # what /run is for it
        self.run.mkdir(exist_ok=True)
        self.names = re.findall(r"^vrrp_instance\s+(\S+)", text, re.MULTILINE)

    def command(self) -> list[object]:
        raise NotImplementedError

    def start(self) -> None:
        self.main = self.host.start(
            self.kind, "sh", "-c", _WITH_OWN_FILES, self.run, self.etc, *self.command(),
            env={"TMPDIR": str(self.host.directory)},
        )

    def state(self, name: str) -> str:
        """Of one instance: "master", "backup", "fault" or ""; both log each change in the same words."""
        entered = re.findall(rf"\({re.escape(name)}\) Entering (\w+) STATE", self.main.log)
        return entered[-1].lower() if entered else ""

    def states(self) -> list[str]:
        return [self.state(name) for name in self.names]

    def wait_for_state(self, state: str, timeout: float = 15) -> None:
        """Of all instances."""
        wait_for(
            lambda: f"{self.kind} to be {state}; it is {self.states()}\n{self.main.log}",
            lambda: self.main.running() and self.states() == [state] * len(self.names),
            timeout,
        )

    def stop(self) -> int:
        return self.main.stop()


class Theirs(Runner):
    kind = "keepalived"

    def command(self) -> list[object]:
        return ["keepalived", "-n", "-l", "-D", "-G", "-P", "-f", self.file]


class Ours(Runner):
    kind = "vrrpd"
    options: tuple[object, ...] | None = None  # nothing: the file

    def command(self) -> list[object]:
        options = ("--config", self.file) if self.options is None else self.options
        return [build_directory() / "vrrpd" / "vrrpd", *options]

    @property
    def socket(self) -> Path:
        return self.run / "vrrpd" / "control.sock"
