"""Keywords of keepalived.conf mean to ours what they mean to keepalived: both run on the same file, and the same happens to
them."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Callable

import pytest
from lab import holds_for, wait_for
from sides import Side, side_by_side
from test_notify import recorder, said

INSTANCE = """
global_defs {
    max_auto_priority -1
    script_user root
    GLOBAL
}
BLOCKS
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        10.77.0.100/24 OPTIONS
    }
    LINES
}
"""


def text_with(lines: str = "", blocks: str = "", options: str = "", shared: str = "") -> str:
    text = INSTANCE.replace("LINES", lines).replace("BLOCKS", blocks)
    return text.replace("OPTIONS", options).replace("GLOBAL", shared)


def start(*both: Side) -> None:
    for side in both:
        side.runner.start()
    for side in both:
        side.runner.wait_for_state("master")


def history(side: Side) -> list[str]:
    """Every state it entered."""
    return re.findall(r"\(VI_1\) Entering (\w+) STATE", side.runner.main.log)


def same(what: str, of: Callable[[Side], object], theirs: Side, ours: Side, expected: object, timeout: float = 10) -> None:
    """Waits until both are as `expected`."""
    wait_for(
        lambda: f"{what}: {expected}; theirs {of(theirs)}, ours {of(ours)}",
        lambda: of(theirs) == expected and of(ours) == expected,
        timeout,
        every=0.1,
    )


def priorities(side: Side) -> list[int]:
    return side.priorities().get(51, [])


def test_addresses_are_installed_with_what_their_lines_say():
    lines = """
    virtual_ipaddress_excluded {
        fd77::100/64
        10.77.3.1/32 scope host
        10.77.4.1 scope link
        10.78.0.100/24 dev eth1 noprefixroute
    }
    """
    with side_by_side(text_with(lines, options="label eth0:vip brd 10.77.0.255")) as (theirs, ours):
        for side in (theirs, ours):
            side.host.add_interface("eth1", "10.78.0")
            side.remember_addresses()
        start(theirs, ours)
        wait_for(
            lambda: f"all addresses; theirs {theirs.addresses()}, ours {ours.addresses()}",
            lambda: len(theirs.addresses()) == len(ours.addresses()) == 5,
        )
        assert ours.addresses() == theirs.addresses()
        assert ours.messages() == theirs.messages()
        assert ours.routing() == theirs.routing()


def test_announcements_come_as_often_as_garp_keywords_say():
    lines = "garp_master_delay 2\n garp_master_repeat 3"
    with side_by_side(text_with(lines)) as (theirs, ours):
        start(theirs, ours)
        since = time.time()
        holds_for("both run", lambda: theirs.runner.main.running() and ours.runner.main.running(), seconds=3.5)
        for moment, expected in ((1.5, 3), (3.4, 6)):
            counts = [side.announced(since + moment)["10.77.0.100"] for side in (theirs, ours)]
            assert counts == [expected, expected]


def test_a_refresh_comes_as_often_as_garp_keywords_say():
    lines = "garp_master_delay 0\n garp_master_repeat 1\n garp_master_refresh 2\n garp_master_refresh_repeat 3"
    with side_by_side(text_with(lines)) as (theirs, ours):
        start(theirs, ours)
        since = time.time()
        holds_for("both run", lambda: theirs.runner.main.running() and ours.runner.main.running(), seconds=3.5)
        counts = [side.announced(since + 3.3)["10.77.0.100"] for side in (theirs, ours)]
        assert counts == [4, 4]


def test_an_interface_that_is_tracked_is_a_fault_or_a_weight():
    lines = "track_interface {\n eth1 weight -20\n eth2 weight 5\n eth3\n}"
    with side_by_side(text_with(lines)) as (theirs, ours):
        for side in (theirs, ours):
            for number, name in enumerate(("eth1", "eth2", "eth3")):
                side.host.add_interface(name, f"10.78.{number}")
        start(theirs, ours)
        same("at first", priorities, theirs, ours, [105])
        for name, expected in (("eth1", [105, 85]), ("eth2", [105, 85, 80])):
            for side in (theirs, ours):
                side.host.ip(f"link set {name} down")
            same(f"without {name}", priorities, theirs, ours, expected)
        for side in (theirs, ours):
            side.host.ip("link set eth3 down")
        same("without eth3", history, theirs, ours, ["BACKUP", "MASTER", "FAULT"])
        same("without eth3", priorities, theirs, ours, [105, 85, 80, 0])


def test_a_file_that_is_tracked_weighs_by_what_it_says(tmp_path: Path):
    file, next_file = tmp_path / "load", tmp_path / "next"

    def say(number: int) -> None:
        next_file.write_text(f"{number}\n")
        next_file.rename(file)  # so that nobody sees it empty

    say(3)
    blocks = f"track_file load {{\n file {file}\n weight 2\n}}"
    with side_by_side(text_with("track_file {\n load\n}", blocks)) as (theirs, ours):
        start(theirs, ours)
        same("with 3", priorities, theirs, ours, [106])
        for number, expected in ((-10, [106, 80]), (0, [106, 80, 100])):
            say(number)
            same(f"with {number}", priorities, theirs, ours, expected)
        say(-127)
        same("with -127", history, theirs, ours, ["BACKUP", "MASTER", "FAULT"])


def test_a_script_without_weight_is_a_fault(tmp_path: Path):
    flag = tmp_path / "healthy"
    flag.touch()
    blocks = f'vrrp_script chk {{\n script "/usr/bin/test -e {flag}"\n interval 1\n rise 2\n}}'
    with side_by_side(text_with("track_script {\n chk\n}", blocks)) as (theirs, ours):
        start(theirs, ours)
        assert history(ours) == history(theirs) == ["BACKUP", "MASTER"]
        flag.unlink()
        same("without the flag", history, theirs, ours, ["BACKUP", "MASTER", "FAULT"])
        flag.touch()
        same("with it", history, theirs, ours, ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER"])


def test_a_script_that_fails_from_the_start_keeps_both_from_becoming_master():
    blocks = "vrrp_script chk {\n script /usr/bin/false\n interval 1\n init_fail\n}"
    with side_by_side(text_with("track_script {\n chk\n}", blocks)) as (theirs, ours):
        for side in (theirs, ours):
            side.runner.start()
        holds_for("no address", lambda: theirs.addresses() == ours.addresses() == [], seconds=5)
        assert "MASTER" not in history(theirs) + history(ours)


def test_dont_track_primary_goes_on_without_the_link():
    with side_by_side(text_with("dont_track_primary")) as (theirs, ours):
        start(theirs, ours)
        for side in (theirs, ours):
            side.host.cut()
        holds_for(
            "both are master", lambda: history(theirs) == history(ours) == ["BACKUP", "MASTER"], seconds=1.5
        )
        assert ours.addresses() == theirs.addresses() != []


def record(side: Side, *names: str) -> list[Path]:
    """Puts the pipe's path for FIFO and a command that notes what it hears for each of `names`, as the first word in
    quotes, into the configuration; returns where they note it."""
    text = side.runner.file.read_text().replace("FIFO", str(side.host.directory / "fifo"))
    files = []
    for name in names:
        command, out = recorder(side.host, name.lower())
        text = text.replace(f'"{name}', f'"{command}')
        files.append(out)
    side.runner.file.write_text(text)
    return files


def test_notify_commands_and_the_pipe_hear_the_same(tmp_path: Path):
    flag = tmp_path / "healthy"
    flag.touch()
    blocks = f'vrrp_script chk {{\n script "/usr/bin/test -e {flag}"\n interval 1\n}}'
    lines = 'track_script {\n chk\n}\n notify "ANY"\n notify_fault "FAULT a b"\n notify_stop "STOP"'
    with side_by_side(text_with(lines, blocks, shared="vrrp_notify_fifo FIFO")) as (theirs, ours):
        heard = [record(side, "ANY", "FAULT", "STOP") for side in (theirs, ours)]
        start(theirs, ours)
        for side in (theirs, ours):
            fifo, out = side.host.directory / "fifo", side.host.directory / "fifo.out"
            side.host.start("reader", "sh", "-c", 'cat "$0" > "$1"', fifo, out)
        flag.unlink()
        same("without the flag", history, theirs, ours, ["BACKUP", "MASTER", "FAULT"])
        for side in (theirs, ours):
            assert side.runner.stop() == 0
        for one, other in zip(*heard):
            wait_for(lambda: f"{said(one)} and {said(other)}", lambda: said(one) and sorted(said(one)) == sorted(said(other)))
        pipes = [said(side.host.directory / "fifo.out") for side in (theirs, ours)]
        assert pipes[0] == pipes[1] != []


@pytest.mark.parametrize("version", [2, 3])
def test_an_interval_is_rounded_as_keepalived_rounds_it(version: int):
    with side_by_side(text_with(f"version {version}\n advert_int 1.26")) as (theirs, ours):
        start(theirs, ours)
        assert ours.messages() == theirs.messages()
        assert ours.fields() == theirs.fields()
