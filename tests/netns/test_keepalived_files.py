"""The configurations of tests/fixtures/keepalived, run by keepalived and by ours side by side: what is on the wire and on
the interface is the same."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest
from daemons import SOURCE_DIR
from keepalived_conf import Ours
from lab import Lab, holds_for, wait_for
from sides import side_by_side

FIXTURES = SOURCE_DIR / "tests" / "fixtures" / "keepalived"


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
    with side_by_side(scripts.prepared(prepared_fixture(request.param))) as (theirs, ours):
        yield theirs, ours, scripts


def last_of(priorities: dict[int, list[int]]) -> dict[int, int]:
    return {vrid: sequence[-1] for vrid, sequence in priorities.items()}


def prepared_fixture(name: str) -> str:
    return (FIXTURES / name).read_text()


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
