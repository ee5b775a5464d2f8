"""Committing and recovering on a real volume, and what its failures do to that."""

import os
import threading
import time
from pathlib import Path

import pytest

from cluster import PING_TIMEOUT, Cluster
from machine import ENV, MIRROR, Machine, contents, differences
from test_copies import fill

# One worker, one cluster.
pytestmark = pytest.mark.xdist_group("cluster")


def test_what_one_machine_commits_the_other_recovers_from_a_real_volume(nodes):
    one, two = nodes
    fill(one)
    assert one.now()["outcome"] == "committed"
    (one.source / "pipe").unlink()
    assert differences(one.source, one.target / ENV, "workspace/", "*.log", prefix=one.prefix) == []
    assert (one.tree() / "sparse").stat().st_blocks < 100
    report = two.recover()
    assert report["outcome"] == "applied"
    assert differences(one.source, two.source, "workspace/", "*.log") == []
    assert os.getxattr(two.source / "déjà", "user.note") == b"kept"

    # The first one is no longer the writer, whoever asks it to be.
    one.write("déjà", "encore")
    two.write("jobs/a/config.xml", "<two/>")
    assert two.now()["generation"] == 2
    answer = one.run("now", *MIRROR, "--json", check=False)
    assert answer.report["outcome"] == "behind"
    assert contents(two.tree())["jobs/a/config.xml"] == "<two/>"


def test_without_quorum_nothing_is_written_and_the_message_says_so(nodes, cluster: Cluster):
    one, _ = nodes
    one.write("file", "first")
    one.now()
    cluster.nodes[1].kill_brick()
    cluster.nodes[2].kill_brick()
    one.write("file", "second")
    answer = one.run("now", *MIRROR, check=False, timeout=30)
    assert answer.code == 1 and "has no quorum: 1 of 3 bricks are connected" in answer.errors
    answer = one.run("recover", *MIRROR, check=False, timeout=30)
    assert answer.code == 1 and "has no quorum: 1 of 3 bricks are connected" in answer.errors
    assert one.contents() == {"file": "second"}
    cluster.repair()
    assert contents(one.tree()) == {"file": "first"}
    assert one.now()["generation"] == 2
    assert contents(one.tree()) == {"file": "second"}


def test_with_one_brick_killed_both_machines_go_on(nodes, cluster: Cluster):
    one, two = nodes
    one.write("file", "first")
    one.now()
    cluster.nodes[0].kill_brick()
    one.write("file", "second")
    assert one.now()["generation"] == 2
    two.recover()
    assert two.contents() == {"file": "second"}
    cluster.repair()
    assert contents(one.tree()) == contents(two.tree()) == {"file": "second"}


def test_a_writer_that_is_cut_off_silently_does_not_overwrite_who_took_over(nodes, cluster: Cluster):
    one, two = nodes
    one.write("file", "first")
    one.now()
    cluster.cut(cluster.nodes[0])
    one.write("file", "of one, while it was cut off")
    began = time.monotonic()
    answer = one.run("now", *MIRROR, check=False, timeout=60)
    assert answer.code == 1, answer.output
    two.recover(timeout=60)
    two.write("file", "of two")
    assert two.now()["generation"] == 2
    print(f"taken over {time.monotonic() - began:.1f} s after the cut, ping-timeout {PING_TIMEOUT} s")

    cluster.repair()
    answer = one.run("now", *MIRROR, "--json", check=False)
    assert (answer.report["outcome"], answer.report["conflicts"]) == ("behind", 1)
    assert contents(one.tree()) == {"file": "of two"}
    kept = one.view + answer.report["kept-in"]
    assert (os.path.basename(kept), open(f"{kept}/files/file").read()) == ("node1-1.1", "of one, while it was cut off")


def test_a_volume_that_is_not_mounted_is_not_written(nodes, cluster: Cluster):
    one, _ = nodes
    one.write("file", "first")
    one.now()
    cluster.nodes[0].unmount()
    one.write("file", "second")
    answer = one.run("now", *MIRROR, check=False)
    assert answer.code == 1 and "is not on GlusterFS" in answer.errors
    assert not one.tree().exists()


def test_of_two_writers_that_are_started_by_hand_one_commits_and_the_other_keeps_what_it_has_aside(nodes):
    one, two = machines = nodes
    one.write("file", "first")
    one.now()
    two.recover()
    reports: dict[str, list[dict]] = {machine.name: [] for machine in machines}

    def write_on(machine: Machine) -> None:
        for number in range(4):
            machine.write("file", f"{machine.name} {number}")
            report = machine.run("now", *MIRROR, "--json", check=False).report
            reports[machine.name].append({**report, "content": f"{machine.name} {number}"})

    threads = [threading.Thread(target=write_on, args=(machine,)) for machine in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    committed = {machine.name: [report for report in reports[machine.name] if report["outcome"] == "committed"]
                 for machine in machines}
    winner, loser = sorted(machines, key=lambda machine: len(committed[machine.name]), reverse=True)
    won = committed[winner.name]
    assert won and not committed[loser.name], reports
    # Each of its generations once, in order, and the last is what is there.
    assert [report["generation"] for report in won] == [*range(2, 2 + len(won))], reports
    assert contents(one.tree()) == contents(two.tree()) == {"file": won[-1]["content"]}
    answer = loser.run("now", *MIRROR, "--json", check=False)
    assert (answer.report["outcome"], answer.report["conflicts"]) == ("behind", 1), answer
    assert Path(f"{loser.view}{answer.report['kept-in']}/files/file").read_text() == reports[loser.name][-1]["content"]
