"""Two machines whose clocks are an hour apart: who is newer is never a question of a clock."""

import pytest

from control_socket import INSTANCE, ControlSocket
from machine import Machine, contents, wait_until

HOUR_MS = 3_600_000


def skewed(machine: Machine, offset: str) -> Machine:
    # What no clock of a machine sets is left alone: the time since its start, and that of files.
    machine.prefix = ("env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1", "faketime", "-f", offset)
    return machine


@pytest.mark.parametrize("offset", ["+1h", "-1h"])
def test_older_data_does_not_replace_newer_whatever_the_clocks_say(pair, offset):
    one, two = pair[0], skewed(pair[1], offset)
    one.write("file", "1")
    one.now()
    two.recover()
    assert two.contents() == {"file": "1"}
    two.write("file", "2")
    assert two.now()["generation"] == 2
    one.write("file", "of one, older")
    answer = one.run("now", "devops", "blue", "--json", check=False)
    assert (answer.code, answer.report["outcome"], answer.report["conflicts"]) == (1, "behind", 1)
    assert contents(one.tree()) == {"file": "2"}
    one.recover()
    assert one.contents() == {"file": "2"}
    # A file that was changed on the machine with the older clock is a change all the same.
    one.write("file", "3")
    assert one.now()["generation"] == 3
    two.recover()
    assert two.contents() == {"file": "3"}


@pytest.mark.parametrize("offset", ["+1h", "-1h"])
def test_a_standbys_lag_is_measured_on_its_own_clock(pair, offset):
    one, two = pair[0], skewed(pair[1], offset)
    socket = ControlSocket(two.socket.with_name("vrrpd"))
    two.team_keys = {"environments": ["blue"], "writer": {"instance": INSTANCE}}
    two.sections = {"vrrpd": str(two.socket.with_name("vrrpd"))}
    two.write_config()
    try:
        one.write("file", "1")
        one.now()
        with two.daemon() as daemon:
            wait_until(lambda: two.contents() == {"file": "1"}, "the first generation")
            one.write("file", "2")
            one.now()
            wait_until(lambda: two.contents() == {"file": "2"}, "the second generation")
            wait_until(lambda: daemon.mirror()["applied-generation"] == 2, "the end of that")
            assert daemon.mirror()["lag-ms"] < HOUR_MS / 10
    finally:
        socket.close()
