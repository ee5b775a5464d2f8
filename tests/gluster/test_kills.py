"""Killed at the entry of every system call by which it changes a directory, on a local disk: what a committed generation
held is never lost, and the next run repairs what was left half done."""

import pytest

from machine import CHANGES, MIRROR, Machine, contents, copy_of, differences


def before(machine: Machine) -> None:
    for name in ("same", "changed", "removed", "dir/a", "dir/b", "gone/deep/x", "becomes-dir"):
        machine.write(name, f"old {name}")


def after(machine: Machine) -> None:
    machine.write("changed", "new, and longer")
    machine.write("dir/a", "new a")
    machine.write("added/deep/y", "new y")
    (machine.source / "removed").unlink()
    (machine.source / "gone/deep/x").unlink()
    (machine.source / "gone/deep").rmdir()
    (machine.source / "gone").rmdir()
    (machine.source / "becomes-dir").unlink()
    machine.write("becomes-dir/z", "new z")
    (machine.source / "dir").chmod(0o750)


def kill_everywhere(machine: Machine, call: str, words: tuple, prepare, check) -> int:
    """Runs the command again and again from the same start, killed one call later each time. Returns how often."""
    for number in range(1, 200):
        prepare()
        if not machine.run_until(call, number, *words):
            return number - 1
        check(number)
    raise AssertionError(f"more than 200 calls of {call}")


@pytest.fixture
def states(pair, tmp_path):
    """A first generation that both machines have, and the changes of the second in the source of the first."""
    one, two = pair
    before(one)
    one.now()
    two.recover()
    one.run("recover", *MIRROR)  # the claim is back at the first one
    old = one.contents()
    after(one)
    saved = tmp_path / "saved"
    saved.mkdir()
    for directory in (one.directory, two.directory, one.target):
        copy_of(directory, saved / directory.name)

    def reset() -> None:
        for directory in (one.directory, two.directory, one.target):
            copy_of(saved / directory.name, directory)

    return one, two, old, one.contents(), reset


# It removes no file: what it replaces is kept.
COMMIT_CHANGES = [call for call in CHANGES if call != "unlink"]


@pytest.mark.parametrize("call", COMMIT_CHANGES)
def test_a_commit_that_was_killed_anywhere_is_finished_by_the_next_one(states, call):
    one, two, _, new, reset = states

    def check(number: int) -> None:
        assert one.now()["outcome"] in ("committed", "unchanged"), (call, number)
        assert contents(one.tree()) == new, (call, number)
        assert differences(one.source, one.tree()) == [], (call, number)

    assert kill_everywhere(one, call, ("now", *MIRROR), reset, check) > 0


@pytest.mark.parametrize("call", COMMIT_CHANGES)
def test_after_a_commit_was_killed_anywhere_the_other_machine_recovers_a_whole_generation(states, call):
    one, two, old, new, reset = states

    def check(number: int) -> None:
        two.recover()
        assert two.contents() in (old, new), (call, number)
        assert contents(two.tree()) == two.contents(), (call, number)
        assert differences(two.tree(), two.source) == [], (call, number)
        # The first one finds out, and what it had not committed is not lost.
        answer = one.run("now", *MIRROR, "--json", check=False)
        if two.contents() == new:
            assert answer.report["outcome"] in ("unchanged", "behind"), (call, number)
        else:
            assert answer.report["outcome"] == "committed", (call, number)
            assert contents(one.tree()) == new, (call, number)

    assert kill_everywhere(one, call, ("now", *MIRROR), reset, check) > 0


@pytest.mark.parametrize("call", CHANGES)
def test_a_recovery_that_was_killed_anywhere_is_finished_by_the_next_one(states, call):
    one, two, _, new, reset = states
    one.now()
    two.write("changed", "of two alone")
    for directory in (one.directory, two.directory, one.target):
        copy_of(directory, one.target.parent / "saved" / directory.name)

    def check(number: int) -> None:
        report = two.recover()
        assert two.contents() == new, (call, number)
        assert differences(two.tree(), two.source) == [], (call, number)
        assert contents(one.tree()) == new, (call, number)
        kept = [contents(backup).get("changed") for backup in (two.source / ".gluster-sync/backups").iterdir()]
        assert "of two alone" in kept, (call, number, report)

    assert kill_everywhere(two, call, ("recover", *MIRROR), reset, check) > 0
