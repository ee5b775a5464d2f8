"""A real fail-over: vrrpd on both machines, a volume they share, and the data of a team in between. What was lost and
how long it took is measured and printed."""

import time
from collections.abc import Iterator

import pytest

from cluster import Cluster
from machine import ENV, MIRROR, OURS, Later, Machine, contents, differences, wait_until
from test_copies import fill
from vrrpd import Vrrpd

pytestmark = pytest.mark.xdist_group("cluster")

@pytest.fixture
def vrrp_nodes(nodes) -> Iterator[tuple[Machine, Machine, Vrrpd, Vrrpd]]:
    one, two = nodes
    daemons = []
    for machine, priority in ((one, 110), (two, 100)):
        machine.team_keys = {"environments": ["blue"], "writer": {"instance": "VI_MAIN"}}
        machine.sections["vrrpd"] = str(machine.socket.with_name("vrrpd"))
        machine.sections["sync"] = {"interval": "1m", "settle": "200ms"}
        machine.write_config()
        daemons.append(Vrrpd(machine, priority))
    yield one, two, *daemons
    for daemon in daemons:
        daemon.kill()


def test_after_the_writer_loses_its_power_the_other_machine_goes_on_with_its_data(vrrp_nodes, cluster: Cluster):
    one, two, vrrp_one, _ = vrrp_nodes
    fill(one)
    (one.source / "pipe").unlink()
    with one.daemon() as first, two.daemon() as second:
        wait_until(lambda: first.mirror()["role"] == "writer", f"the role\n{first.log()}")
        first.wait_at_rest()
        wait_until(lambda: second.mirror()["applied-generation"] == first.mirror()["applied-generation"],
                   "a warm standby")
        written = time.time()
        for number in range(50):
            one.write(f"jobs/a/builds/{number}/build.xml", f"<build>{number}</build>")
        one.write("last", f"{time.time()}")
        wait_until(lambda: (two.source / "last").exists(),
                   Later(lambda: f"the last change on the standby\n{first.log()}\n{second.log()}"))
        print(f"a change is on the warm standby {time.time() - written:.1f} s after it was made")

        # The power cut: nothing of the first machine is heard any more, and what it had begun stays undone.
        one.write("lost", "written in the last moment")
        first.kill()
        vrrp_one.kill()
        cluster.cut(cluster.nodes[0])
        began = time.monotonic()
        wait_until(lambda: second.mirror()["role"] == "writer", "the new writer")
        mastered = time.monotonic() - began
        second.wait_for("taking over")
        two.write("of two", "the first change after the takeover")
        wait_until(lambda: (two.tree() / "of two").exists(), "a generation of the new writer")
        print(f"recovery time: master after {mastered:.1f} s, committing {time.monotonic() - began:.1f} s after the cut")
        lost = set(one.contents()) - set(two.contents()) - {"build.log", "jobs/a/workspace/out"}
        print(f"recovery point: lost {sorted(lost)}")
        assert lost <= {"lost"}

        # The old one comes back, with a change of its own that is older than what is there now.
        cluster.repair()
        first.start()
        returned = Vrrpd(one, 110)
        try:
            wait_until(lambda: first.mirror()["role"] == "writer", "the old writer, master again")
            wait_until(lambda: (one.source / "of two").exists(), Later(first.log))
            one.write("of one", "the first change after the return")
            wait_until(lambda: (two.source / "of one").exists(), Later(first.log))
            assert contents(two.tree())["of two"] == "the first change after the takeover"
        finally:
            returned.kill()
        if lost:
            assert [path.read_text() for path in (two.tree() / OURS / "conflicts").glob("*/files/lost")] == [
                "written in the last moment"]


# Renames put things in place, and each record is on the disk before that. test_kills.py kills at every single one, on a
# disk that is fast enough for that.
STEPS = [(call, number) for call, numbers in (("rename", (1, 2, 3, 4, 5, 6, 7)), ("fsync", (2, 4, 6))) for number in numbers]


def kill_at(machine: Machine, steps, words: tuple, prepare, check) -> int:
    killed = 0
    over = set()
    for call, number in steps:
        if call in over:
            continue
        prepare(number)
        if machine.run_until(call, number, *words):
            killed += 1
        else:
            over.add(call)
        check(number)
    return killed


def test_killed_at_any_step_on_a_real_volume_a_commit_and_a_recovery_are_finished_by_the_next(nodes):
    one, two = nodes
    one.write("same", "same")
    one.now()

    def change(number: int) -> None:
        one.write("file", f"{number} {time.monotonic()}")
        one.write(f"new{number}/file", str(number))

    def check_commit(number: int) -> None:
        one.now()
        assert contents(one.tree()) == one.contents()

    killed = kill_at(one, STEPS, ("now", *MIRROR), change, check_commit)

    def diverge(number: int) -> None:
        one.recover()
        change(number)
        one.now()
        two.write("file", "of two")

    def check_recovery(number: int) -> None:
        two.recover()
        assert differences(two.target / ENV, two.source, prefix=two.prefix) == []
        assert two.contents() == one.contents()

    killed += kill_at(two, STEPS, ("recover", *MIRROR), diverge, check_recovery)
    print(f"killed at {killed} points")
    assert killed >= 12
