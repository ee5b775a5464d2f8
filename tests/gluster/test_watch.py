"""What the daemon notices on a real volume, what it does about it, and that nothing which hangs holds it up."""

import time

import pytest

from cluster import VOLUME, Cluster
from machine import MIRROR, Failure, Machine, contents, wait_until

pytestmark = pytest.mark.xdist_group("cluster")

# A mount that is gone, stale or hanging has to be noticed within this.
NOTICED_WITHIN = 10.0


def configure(machine: Machine, remount: bool = False, sync: dict | None = None, **team: object) -> None:
    machine.team_keys = {"environments": ["blue"], "writer": "always", **team}
    volume = {**machine.sections["volumes"][0], "remount": remount}
    machine.sections = {"volumes": [volume], "sync": {"settle": "100ms", **(sync or {})}}
    machine.write_config()


@pytest.fixture
def one(nodes) -> Machine:
    configure(nodes[0])
    nodes[0].write("file", "1")
    return nodes[0]


def answers_at_once(machine: Machine) -> float:
    """A daemon that something holds up does not."""
    began = time.monotonic()
    assert machine.run("status", "--json", check=False).code in (0, 1)
    took = time.monotonic() - began
    assert took < 2, f"the daemon answered after {took:.1f} s"
    return took


def noticed(daemon, state: str, began: float) -> None:
    try:
        wait_until(lambda: daemon.volume()["state"] == state, f"state {state}", NOTICED_WITHIN)
    except Failure as failure:
        raise Failure(f"{failure}: {daemon.volume()}\n{daemon.log()}") from None
    print(f"{state}: noticed after {time.monotonic() - began:.1f} s")
    assert time.monotonic() - began < NOTICED_WITHIN
    daemon.wait_for(f"ALARM: mount {daemon.machine.sections['volumes'][0]['mount']} is {state}: ", timeout=2)


def test_a_mount_that_hangs_is_noticed_and_holds_nothing_up(one, cluster: Cluster):
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        cluster.nodes[0].signal_clients("STOP")
        began = time.monotonic()
        one.write("file", "2")
        noticed(daemon, "hanging", began)
        answers_at_once(one)
        # What the mount does not say is unknown, and never 0.
        assert (daemon.volume()["bricks"], daemon.volume()["bricks-connected"]) == (None, None)
        cluster.nodes[0].signal_clients("CONT")
        wait_until(lambda: daemon.volume()["state"] == "usable", "a usable mount")
        daemon.wait_at_rest(2, timeout=60)
        assert contents(one.tree()) == {"file": "2"}


def test_a_mount_that_goes_on_hanging_is_mounted_anew_where_that_is_allowed(one, cluster: Cluster):
    configure(one, remount=True)
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        cluster.nodes[0].signal_clients("STOP")
        hung = cluster.nodes[0].client_pids()
        one.write("file", "2")
        daemon.wait_for(f"mounted {cluster.nodes[0].mount} anew", timeout=60)
        daemon.wait_at_rest(2, timeout=60)
        assert contents(one.tree()) == {"file": "2"}
        assert not set(hung) & set(cluster.nodes[0].client_pids())


@pytest.mark.parametrize("state", ["stale", "gone"])
def test_a_mount_that_is_lost_is_mounted_anew_where_that_is_allowed(one, cluster: Cluster, state):
    configure(one, remount=True)
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        if state == "stale":
            cluster.nodes[0].signal_clients("KILL")
        else:
            cluster.nodes[0].unmount()
        began = time.monotonic()
        daemon.wait_for(f"ALARM: mount {cluster.nodes[0].mount} is {state}: ", timeout=NOTICED_WITHIN)
        one.write("file", "2")
        daemon.wait_for(f"mounted {cluster.nodes[0].mount} anew", timeout=30)
        daemon.wait_at_rest(2, timeout=30)
        print(f"{state}: committed again {time.monotonic() - began:.1f} s after it was noticed")
        assert contents(one.tree()) == {"file": "2"}


def test_a_command_on_a_stale_mount_says_what_to_do(one, cluster: Cluster):
    one.now()
    cluster.nodes[0].signal_clients("KILL")
    wait_until(lambda: not cluster.nodes[0].client_pids(), "the end of the client")
    answer = one.run("now", *MIRROR, check=False)
    assert answer.code == 1
    assert (f"volume {VOLUME} at {cluster.nodes[0].mount} cannot be reached, nothing was written (`gluster-sync status` "
            "says why): Transport endpoint is not connected") in answer.errors + answer.output


def test_a_mount_that_is_lost_is_left_alone_where_nothing_is_allowed(one, cluster: Cluster):
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        cluster.nodes[0].unmount()
        noticed(daemon, "gone", time.monotonic())
        one.write("file", "2")
        # Longer than it takes to settle, to fail and to try again.
        assert not one.tree().exists()
        answer = one.run("status", check=False)
        assert answer.code == 1 and "gone: no GlusterFS volume is mounted there" in answer.output
        # The operator may.
        one.run("remount", cluster.nodes[0].mount)
        daemon.wait_at_rest(2, timeout=30)
        assert contents(one.tree()) == {"file": "2"}
        assert daemon.volume()["remounts"] == 0


def test_bricks_and_peers_that_are_missing_are_alarmed(one, cluster: Cluster):
    one.now()
    cluster.nodes[1].kill_brick()
    with one.daemon() as daemon:
        daemon.wait_for("1 of 3 bricks are not online", timeout=30)
        wait_until(lambda: (daemon.volume()["bricks-connected"], daemon.volume()["quorum"]) == (2, True), "two bricks")
        # A missing counter is unknown, and never 0.
        assert daemon.volume()["heal-pending"] is None
        assert daemon.status()["alarm"]
        # Two of three bricks are a quorum: it goes on.
        one.write("file", "2")
        daemon.wait_at_rest(2)


def test_without_quorum_the_daemon_waits_and_says_so(one, cluster: Cluster):
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        began = time.monotonic()
        cluster.nodes[1].kill_brick()
        cluster.nodes[2].kill_brick()
        noticed(daemon, "no-quorum", began)
        one.write("file", "2")
        cluster.start_bricks()
        daemon.wait_at_rest(2, timeout=30)
        assert contents(one.tree()) == {"file": "2"}


def test_without_glusterd_the_mount_is_used_and_what_it_knew_is_unknown(one, cluster: Cluster):
    cluster.nodes[0].stop_glusterd()
    with one.daemon() as daemon:
        daemon.wait_at_rest(1, timeout=30)
        one.write("file", "2")
        daemon.wait_at_rest(2)
        wait_until(lambda: daemon.volume()["cluster-text"], "the reason", timeout=30)
        volume = daemon.volume()
        assert (volume["heal-pending"], volume["peers"], volume["bricks-online"]) == (None, None, None), volume
        answer = one.run("heal", check=False)
        assert answer.code == 1 and VOLUME in answer.errors


def test_healing_is_started_and_its_counters_are_said(one, cluster: Cluster):
    # The daemons that heal connect to the bricks a little later than the mounts do.
    wait_until(lambda: one.run("heal", check=False).code == 0, "the daemons that heal", timeout=30, every=0.5)
    assert one.run("heal").output == f"{VOLUME}: healing; entries pending: 0, in split-brain: 0\n"
    answer = one.run("heal", "gv1", check=False)
    assert answer.code == 1 and "unknown volume: gv1" in answer.errors


def test_healing_without_a_brick_is_refused_and_says_what_is_missing(one, cluster: Cluster):
    cluster.nodes[1].kill_brick()

    def refused() -> str:
        """Once glusterd and the daemons that heal have noticed that it is away."""
        answer = one.run("heal", check=False)
        return answer.errors if answer.code == 1 and "bricks" in answer.errors else ""

    errors = wait_until(refused, "healing to be refused", timeout=30, every=0.5)
    # The reason is on the gluster command's second line.
    assert "has been unsuccessful: " in errors and errors.endswith("; 1 of 3 bricks are not online\n"), errors


def test_a_full_disk_costs_nothing_that_was_committed(one, cluster: Cluster):
    with one.daemon() as daemon:
        daemon.wait_at_rest(1)
        sizes = []
        for node in cluster.nodes[:2]:
            disk = node.directory / "disk"
            used = int(node.inside.run("df", "--output=used", "-k", disk).split()[-1])
            sizes.append((node, disk))
            node.inside.run("mount", "-o", f"remount,size={used + 2048}k", disk)
        try:
            with open(one.source / "large", "wb") as large:
                large.write(b"x" * (32 << 20))
            one.write("file", "2")
            daemon.wait_for("No space left on device", timeout=30)
            assert contents(one.tree()) == {"file": "1"}
        finally:
            for node, disk in sizes:
                node.inside.run("mount", "-o", "remount,size=4g", disk)
        wait_until(lambda: (one.tree() / "large").exists() and (one.tree() / "large").stat().st_size == 32 << 20,
                   "the large file", timeout=60)
        daemon.wait_at_rest()
        assert (one.tree() / "file").read_text() == "2"
