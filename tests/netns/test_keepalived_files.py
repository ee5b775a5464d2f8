"""The configurations of tests/fixtures/keepalived, run by keepalived and by ours side by side: what is on the wire and on
the interface is the same."""

from __future__ import annotations

import json
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from capture import Advert, Capture
from daemons import SOURCE_DIR
from keepalived_conf import Ours, Runner, Theirs
from lab import Host, Lab, holds_for, run, wait_for

FIXTURES = SOURCE_DIR / "tests" / "fixtures" / "keepalived"


@dataclass
class Side:
    """One of the two daemons, alone in its lab."""

    lab: Lab
    runner: Runner
    capture: Capture
    before: list[dict]

    @property
    def host(self) -> Host:
        return self.runner.host

    def adverts(self) -> list[Advert]:
        return self.capture.adverts(self.host.mac())

    def messages(self) -> list[tuple]:
        """All that one advertisement says but its priority, which changes; once for each router."""
        found = {
            a.vrid: (a.version, a.vrid, a.interval, a.addresses, a.password, a.source, a.destination)
            for a in self.adverts()
        }
        return [found[vrid] for vrid in sorted(found)]

    def fields(self) -> list[dict[str, str]]:
        """What the headers say besides: one row for each different one."""
        names = ["ip.ttl", "ip.dsfield", "ip.proto", "vrrp.auth_type", "vrrp.virt_rtr_id", "eth.dst"]
        rows = self.capture.rows(f"vrrp && eth.src == {self.host.mac()}", *names)
        unique = {json.dumps(row, sort_keys=True) for row in rows}
        # Each lab has its own hardware addresses; a group's is everybody's.
        return [
            {**row, "eth.dst": row["eth.dst"] if row["eth.dst"].startswith("01:00:5e") else "unicast"}
            for row in map(json.loads, sorted(unique))
        ]

    def priorities(self) -> dict[int, list[int]]:
        """Of each router: those it advertised, one after the other, without repeats."""
        found: dict[int, list[int]] = {}
        for advert in self.adverts():
            sequence = found.setdefault(advert.vrid, [])
            if not sequence or sequence[-1] != advert.priority:
                sequence.append(advert.priority)
        return found

    def announced(self, until: float) -> Counter[str]:
        """How often each virtual address was announced."""
        found = self.capture.announcements(self.host.mac())
        return Counter(a.address for a in found if a.time < until and a.address != self.host.ipv4)

    def addresses(self) -> list[tuple]:
        """What is on eth0 that was not there before."""
        return sorted(
            (a["local"], a["prefixlen"], a["scope"], a.get("label", ""), a.get("broadcast", ""))
            for a in self.host.interface_addresses()
            if a["local"] not in {b["local"] for b in self.before} and a["scope"] != "link"
        )

    def ip_lines(self, *words: str) -> set[str]:
        """As `ip` prints them, without who installed them."""
        lines = run("ip", "-4", "-n", self.host.namespace, *words).splitlines()
        return {re.sub(r" proto \S+", "", line).strip() for line in lines}

    def routing(self) -> tuple[set[str], set[str]]:
        return self.ip_lines("route", "show", "table", "all"), self.ip_lines("rule", "show")


class Scripts:
    """Stands in for the scripts of a fixture: each succeeds while its file exists."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.files: list[Path] = []

    def prepared(self, text: str) -> str:
        """The fixture with its scripts replaced, and called often enough for a test."""
        text = re.sub(r"^(\s*)script\s+(.*)$", self._replacement, text, flags=re.MULTILINE)
        text = re.sub(r"^(vrrp_script .*?^\s*interval) \d+", r"\1 1", text, flags=re.MULTILINE | re.DOTALL)
        return re.sub(r"^(\s*(?:fall|rise)) \d+", r"\1 2", text, flags=re.MULTILINE)

    def _replacement(self, match: re.Match) -> str:
        file = self.directory / f"healthy-{len(self.files)}"
        if "false" not in match[2]:
            file.touch()
        self.files.append(file)
        return f'{match[1]}script "/usr/bin/test -e {file}"'

    def fail(self) -> None:
        self.was_healthy = [file for file in self.files if file.exists()]
        for file in self.was_healthy:
            file.unlink()

    def recover(self) -> None:
        for file in self.was_healthy:
            file.touch()


@pytest.fixture
def sides(request: pytest.FixtureRequest, tmp_path: Path):
    """Both daemons with the same file, not started yet."""
    scripts = Scripts(tmp_path)
    text = scripts.prepared(prepared_fixture(request.param))
    with Lab("one", "two") as theirs, Lab("one", "two") as ours:
        made = []
        for lab, kind in ((theirs, Theirs), (ours, Ours)):
            runner = kind(lab["one"], text)
            made.append(Side(lab, runner, Capture(lab), lab["one"].interface_addresses()))
        yield made[0], made[1], scripts
        for side in made:  # shown if the test has failed
            print(f"--- {side.runner.kind}\n{side.runner.main.log}")


def last_of(priorities: dict[int, list[int]]) -> dict[int, int]:
    return {vrid: sequence[-1] for vrid, sequence in priorities.items()}


def prepared_fixture(name: str) -> str:
    text = (FIXTURES / name).read_text()
    # Where the address is and what answers for it differs with a virtual MAC, which is not supported: that is a warning.
    return re.sub(r"^\s*(use_vmac|vmac_xmit_base).*\n", "", text, flags=re.MULTILINE)


BOTH = """
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.77.0.100/24
    }
}
"""


def test_without_a_vrrpd_yaml_it_is_keepalived_conf_that_runs(lab: Lab):
    ours = Ours(lab["one"], BOTH)
    ours.options = ()
    ours.start()
    ours.wait_for_state("master")
    assert "10.77.0.100/24" in lab["one"].addresses()
    assert ours.stop() == 0


def test_a_reload_reads_keepalived_conf_again_and_keeps_what_runs_if_it_has_errors(lab: Lab):
    ours = Ours(lab["one"], BOTH)
    ours.start()
    ours.wait_for_state("master")
    ours.file.write_text(BOTH.replace("interface eth0", "interface eth0\n    priority banana"))
    ours.main.signal(signal.SIGHUP)
    ours.main.wait_for_log("priority 'banana' is not a whole number in 1 to 255")
    ours.main.wait_for_log("reload refused")
    ours.file.write_text(BOTH.replace("10.77.0.100/24", "10.77.0.100/24\n        10.77.0.101/24"))
    ours.main.signal(signal.SIGHUP)
    wait_for("the new address", lambda: {"10.77.0.100/24", "10.77.0.101/24"} <= lab["one"].addresses())
    assert ours.main.log.count("STATE") == 2  # no transition but the two of the start


@pytest.mark.parametrize("sides", sorted(path.name for path in FIXTURES.glob("*.conf")), indirect=True)
def test_a_fixture_runs_as_in_keepalived(sides):
    theirs, ours, scripts = sides
    both = (theirs, ours)
    text = ours.runner.file.read_text()
    routing = [side.routing() for side in both]
    for side in both:
        side.runner.start()
    for side in both:
        side.runner.wait_for_state("master")
    since = time.time()
    # The second burst of announcements is over.
    holds_for("both run", lambda: all(side.runner.main.running() for side in both), seconds=6.5)
    assert ours.messages() == theirs.messages()
    assert ours.fields() == theirs.fields()
    assert ours.addresses() == theirs.addresses()
    assert ours.announced(since + 3) == theirs.announced(since + 3)
    if "garp_master_refresh" not in text:  # whose rounds fall together with the second burst
        assert ours.announced(since + 6.4) == theirs.announced(since + 6.4)
    if "virtual_routes" not in text:  # of which ours warns
        assert ours.routing() == theirs.routing()

    if scripts.files:
        healthy = last_of(theirs.priorities())
        scripts.fail()
        holds_for("both run", lambda: all(side.runner.main.running() for side in both), seconds=4)
        assert ours.addresses() == theirs.addresses()
        scripts.recover()
        for side in both:
            side.runner.wait_for_state("master")
        for side in both:
            wait_for(
                lambda: f"{healthy} again from {side.runner.kind}: {side.priorities()}",
                lambda: last_of(side.priorities()) == healthy,
                timeout=6,
                every=0.2,
            )
    for side in both:
        assert side.runner.stop() == 0
    wait_for("the addresses to go", lambda: not ours.addresses() and not theirs.addresses())
    assert ours.priorities() == theirs.priorities()
    assert [side.routing() for side in both] == routing
