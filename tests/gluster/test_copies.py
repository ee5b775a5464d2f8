"""Copying and recovering, on a local disk with a real rsync."""

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from machine import ENV, OURS, Machine, contents, differences


def fill(machine: Machine) -> None:
    """One of everything that a copy can get wrong."""
    root = machine.source
    machine.write("jobs/a/config.xml", "<a/>")
    machine.write("jobs/a/workspace/out", "not copied")
    machine.write("jobs/a/builds/1/log", "one\n")
    machine.write("build.log", "not copied")
    machine.write("odd\tna\\me\n", "odd")
    machine.write("déjà", "vu")
    (root / "empty").mkdir()
    (root / "empty").chmod(0o1777)
    os.symlink("jobs/a/config.xml", root / "link")
    os.symlink("/nowhere", root / "dangling")
    os.link(root / "jobs/a/config.xml", root / "hard")
    with open(root / "sparse", "wb") as sparse:
        sparse.truncate(8 << 20)
    os.setxattr(root / "déjà", "user.note", b"kept")
    os.chown(root / "jobs", 1000, 1001)
    (root / "jobs/a/config.xml").chmod(0o4750)
    os.mkfifo(root / "pipe")


def test_a_copy_has_everything_but_what_is_excluded(pair):
    one, _ = pair
    fill(one)
    assert one.now()["outcome"] == "committed"
    # rsync's own reading of the same patterns says what is to be there. A pipe cannot be copied.
    (one.source / "pipe").unlink()
    assert differences(one.source, one.tree(), "workspace/", "*.log") == []
    assert not (one.tree() / "jobs/a/workspace").exists() and not (one.tree() / "build.log").exists()
    assert (one.tree() / "sparse").stat().st_blocks == 0
    assert (one.tree() / "hard").stat().st_nlink == 2


def test_a_pass_without_changes_commits_nothing(pair):
    one, _ = pair
    fill(one)
    first = one.now()
    again = one.now()
    assert (again["outcome"], again["generation"]) == ("unchanged", first["generation"])


@pytest.mark.parametrize("change", [
    lambda root: (root / "jobs/a/config.xml").write_text("<b/>"),
    lambda root: (root / "link").unlink(),
    lambda root: subprocess.run(["rm", "-r", root / "jobs"], check=True),
    lambda root: subprocess.run(["mv", root / "jobs", root / "work"], check=True),
    lambda root: [(root / "link").unlink(), (root / "link").mkdir(), (root / "link/inside").write_text("x")],
    lambda root: [subprocess.run(["rm", "-r", root / "jobs"], check=True), (root / "jobs").write_text("a file now")],
    lambda root: (root / "empty").chmod(0o700),
    lambda root: os.chown(root / "jobs/a", 5, 6),
    lambda root: os.chown(root / "déjà", 5, 6),
    lambda root: os.setxattr(root / "déjà", "user.note", b"changed"),
    lambda root: [(root / "link").unlink(), os.symlink("elsewhere", root / "link")],
    lambda root: (root / "new/deep/down").mkdir(parents=True),
], ids=["content", "removed", "directory removed", "directory renamed", "link to directory", "directory to file",
        "mode of a directory", "owner of a directory", "owner of a file", "extended attribute", "link", "directories"])
def test_a_change_of_any_kind_is_followed(pair, change):
    one, two = pair
    fill(one)
    (one.source / "pipe").unlink()
    one.now()
    change(one.source)
    assert one.now()["outcome"] == "committed"
    assert differences(one.source, one.tree(), "workspace/", "*.log") == []
    two.recover()
    assert differences(one.tree(), two.source) == []
    assert one.now()["outcome"] == "unchanged"


def test_more_files_than_a_command_line_names_are_copied(pair):
    one, two = pair
    for number in range(1500):
        one.write(f"{number:04}-{'long' * 20}", str(number))
    one.now()
    two.recover()
    for number in range(0, 1500, 2):
        one.write(f"{number:04}-{'long' * 20}", "changed")
    one.now()
    assert differences(one.source, one.tree()) == []
    two.recover()
    assert two.contents() == one.contents()


def test_a_generation_holds_nothing_that_came_after_its_scan(pair):
    """New directories are copied as a whole, while they are written."""
    one, two = pair
    one.write("first", "1")
    one.now()
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            one.write(f"new{number // 200}/é{number % 7}/{number}", "x")
            time.sleep(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            one.now()
    finally:
        done.set()
        writer.join()
    two.recover()
    assert two.contents() == contents(one.tree())


def fill_for_two(machine: Machine) -> None:
    """So much that two rsyncs share it."""
    for number in range(3000):
        machine.write(f"many/{number % 30}/{number // 300}/{number}", f"{number}" * (number % 50))


def test_what_is_copied_by_two_at_once_has_everything_too(pair):
    one, two = pair
    fill_for_two(one)
    (one.source / "many").chmod(0o1770)
    os.chown(one.source / "many", 1000, 1001)
    os.setxattr(one.source / "many", "user.note", b"divided")
    os.setxattr(one.source / "many/29/9/2999", "user.note", b"the last")
    one.now()
    assert differences(one.source, one.tree()) == []
    two.recover()
    assert differences(one.source, two.source) == []


def test_one_file_with_names_far_apart_stays_one(pair):
    one, _ = pair
    fill_for_two(one)
    os.link(one.source / "many/0/0/0", one.source / "many/29/9/hard")
    one.now()
    assert differences(one.source, one.tree()) == []
    assert (one.tree() / "many/29/9/hard").stat().st_nlink == 2


def test_what_changes_while_it_is_copied_is_known_as_it_was_copied(pair):
    one, two = pair
    fill_for_two(one)
    done = threading.Event()

    def write() -> None:
        """In place, of the same length or longer, and with an old time."""
        for number in range(0, 3000, 3):
            path = one.source / f"many/{number % 30}/{number // 300}/{number}"
            before = path.stat()
            path.write_text(f"{number}"[::-1] * (number % 50) + "+" * (number % 2))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            if done.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        one.now()
    finally:
        done.set()
        writer.join()
    # Verifies all of it.
    two.recover()
    assert two.contents() == contents(one.tree())
    one.recover()
    fill_for_two(one)
    one.now()
    assert differences(one.source, one.tree()) == []


def test_recovery_gives_the_other_machine_the_same_tree(pair):
    one, two = pair
    fill(one)
    one.now()
    two.write("jobs/a/config.xml", "something of its own")
    two.write("only-here", "kept in the backup")
    report = two.recover()
    assert differences(one.tree(), two.source) == []
    assert contents(Path(report["kept-in"])) == {
        "jobs/a/config.xml": "something of its own", "only-here": "kept in the backup"}


def test_as_many_backups_are_kept_as_the_configuration_says(pair):
    one, two = pair
    one.write("file", "0")
    one.now()
    for number in range(4):
        two.write("file", f"of two, {number}")
        two.recover()
    backups = sorted((two.source / OURS / "backups").iterdir())
    assert [contents(backup)["file"] for backup in backups] == ["of two, 2", "of two, 3"]


def test_each_generation_that_is_kept_can_be_restored(pair):
    one, two = pair
    states = [None]
    for number in range(1, 6):
        one.write("counter", str(number))
        one.write(f"dir{number}/file", str(number))
        if number > 2:
            subprocess.run(["rm", "-r", one.source / f"dir{number - 2}"], check=True)
        assert one.now()["generation"] == number
        states.append(one.contents())
    for number in (2, 3, 4, 5):
        two.recover("--from", number)
        assert two.contents() == states[number]
    answer = two.run("recover", "devops", "blue", "--from", 1, check=False)
    assert answer.code == 1 and "generation 1 is not kept; there are 2 to 5" in answer.errors
    # Going back is a change like any other.
    two.recover("--from", 3)
    assert two.now()["generation"] == 6
    assert contents(two.tree()) == states[3]


def test_more_generations_than_one_snapshot_spans_can_be_read(pair):
    one, two = pair
    for number in range(70):
        one.write("counter", str(number))
        one.now()
    two.recover()
    assert two.contents() == {"counter": "69"}
    assert len(list((one.tree() / OURS / "generations").iterdir())) < 10


def test_a_machine_whose_copy_is_older_writes_nothing_and_keeps_its_tail(pair):
    one, two = pair
    one.write("file", "first")
    one.now()
    two.recover()
    two.write("file", "of two")
    two.now()
    one.write("file", "of one, never committed")
    one.write("more", "of one")
    answer = one.run("now", "devops", "--json", check=False)
    blue = next(report for report in map(__import__("json").loads, answer.output.splitlines()) if report["env"] == ENV)
    assert (answer.code, blue["outcome"], blue["conflicts"]) == (1, "behind", 2)
    assert contents(one.tree()) == {"file": "of two"}
    assert contents(Path(blue["kept-in"]) / "files") == {"file": "of one, never committed", "more": "of one"}
    one.recover()
    assert one.contents() == {"file": "of two"}


def test_a_copy_that_never_saw_the_target_is_not_written_over_it(pair):
    one, two = pair
    one.write("file", "first")
    one.now()
    two.write("file", "unrelated")
    answer = two.run("now", *("devops", "blue"), check=False)
    assert answer.code == 1 and "was never equal to it" in answer.errors
    assert contents(two.tree()) == {"file": "first"}


def test_an_empty_source_removes_nothing(pair):
    one, _ = pair
    one.write("file", "kept")
    one.now()
    (one.source / "file").unlink()
    answer = one.run("now", "devops", "blue", check=False)
    assert answer.code == 1 and "is empty" in answer.errors
    assert contents(one.tree()) == {"file": "kept"}


def test_a_source_that_lost_its_sentinel_removes_nothing(pair):
    one, _ = pair
    one.write("file", "kept")
    one.now()
    one.source.rename(one.directory / "unmounted")
    one.source.mkdir()
    one.write("other", "of another file system")
    answer = one.run("now", "devops", "blue", check=False)
    assert answer.code == 1 and "has lost its sentinel" in answer.errors
    assert contents(one.tree()) == {"file": "kept"}


def test_a_target_that_lost_its_sentinel_is_not_written(pair):
    one, _ = pair
    one.write("file", "kept")
    one.now()
    one.tree().rename(one.directory / "the volume, unmounted")
    answer = one.run("now", "devops", "blue", check=False)
    assert answer.code == 1 and "the target has lost its sentinel" in answer.errors
    assert not one.tree().exists()


def test_a_target_that_is_not_on_glusterfs_is_refused(pair):
    one, _ = pair
    one.write("file", "x")
    one.allow_local = False
    one.sections = {"volumes": [{"name": "gv0", "mount": str(one.target)}]}
    one.write_config()
    answer = one.run("now", "devops", "blue", check=False)
    assert answer.code == 1 and "is not on GlusterFS but on" in answer.errors
    assert not one.target.exists()


def test_source_and_target_that_overlap_behind_a_link_are_refused(pair):
    one, _ = pair
    one.write("file", "x")
    one.target.symlink_to(one.directory)
    answer = one.run("now", "devops", "blue", check=False)
    assert answer.code == 1 and "overlap" in answer.errors


def test_an_unknown_team_and_a_missing_source_are_named(pair):
    one, _ = pair
    answer = one.run("now", "nobody", check=False)
    assert answer.code == 1 and "unknown team: nobody; there is devops/blue, devops/green" in answer.errors
    answer = one.run("now", "devops", "green", check=False)
    assert answer.code == 1 and f"source {one.directory}/green does not exist" in answer.errors
