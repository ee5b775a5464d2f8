"""haproxy-probe beside a HAProxy: watching it, or asked once."""

from __future__ import annotations

import json
import subprocess

from daemons import Haproxy, build_directory
from lab import Process, wait_for

PROGRAM = build_directory() / "haproxy_probe" / "haproxy-probe"

DEFAULTS = {
    "interval": "100ms",
    "timeout": "400ms",
    "stale_after": "5s",
    "teams": "jenkins_backend_(.+)",
    "threshold": "50%",
    "quorum": "2",
    "grace": "600ms",
    "recover": "600ms",
}


def options(haproxy: Haproxy, **settings: str) -> list[str]:
    """Keys of the section `haproxy` as the command line has them."""
    merged = {"stats": str(haproxy.stats_socket), **DEFAULTS, **settings}
    return [word for key, value in merged.items() for word in (f"--{key.replace('_', '-')}", str(value))]


def ask(haproxy: Haproxy, *flags: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Asks once."""
    command = haproxy.host.command(PROGRAM, *options(haproxy, **settings), *flags)
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


class Probe:
    """haproxy-probe --watch --json."""

    def __init__(self, haproxy: Haproxy, **settings: str):
        self.process: Process = haproxy.host.start(
            "probe", PROGRAM, *options(haproxy, **settings), "--watch", "--json"
        )
        self.wait_for_verdict("healthy", "unhealthy", "unknown", "down")

    def lines(self) -> list[dict]:
        whole_lines = self.process.log.rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in whole_lines]

    def last(self) -> dict:
        return (self.lines() or [{"verdict": "", "reason": ""}])[-1]

    def verdicts(self) -> list[str]:
        """Each one that followed another."""
        found = [line["verdict"] for line in self.lines()]
        return [verdict for index, verdict in enumerate(found) if index == 0 or found[index - 1] != verdict]

    def wait_for_verdict(self, *verdicts: str, timeout: float = 10) -> dict:
        wait_for(lambda: f"the verdict {verdicts}, after {self.last()}",
                 lambda: self.last()["verdict"] in verdicts, timeout, every=0.03)
        return self.last()

    def wait_for_reason(self, text: str, timeout: float = 10) -> dict:
        wait_for(lambda: f"the reason {text!r}, after {self.last()['reason']!r}",
                 lambda: text in self.last()["reason"], timeout, every=0.03)
        return self.last()

    def overall(self) -> str:
        """As "3/4 (75%) devops:1/1 ma:1/1 ba:0/1 tw:1/1"."""
        line = self.last()
        teams = " ".join(f"{team['name']}:{team['up']}/{team['servers']}" for team in line["teams"])
        return f"{line['servers-up']}/{line['servers']} ({line['percentage']}%) {teams}"
