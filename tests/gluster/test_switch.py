"""Blue and green: giving one environment what the other has, and the commands around a recovery."""

from pathlib import Path

import pytest

from machine import TEAM, Machine, contents, copy_of, differences
from test_kills import COMMIT_CHANGES, kill_everywhere


@pytest.fixture
def one(pair) -> Machine:
    """Blue is in use and partly committed, green has something old, which was committed as well."""
    machine = pair[0]
    green = machine.directory / "green"
    (green / "jobs").mkdir(parents=True)
    (green / "jobs/old").write_text("old green")
    (green / "file").write_text("old green")
    machine.write("file", "blue")
    machine.write("jobs/a/config.xml", "<a/>")
    machine.run("now", TEAM)
    machine.write("file", "blue, newer")
    return machine


def green_of(machine: Machine) -> Path:
    return machine.directory / "green"


def target_of(machine: Machine, env: str) -> Path:
    return machine.target / env


BLUE = {"file": "blue, newer", "jobs/a/config.xml": "<a/>"}


def hooks(machine: Machine, **scripts: str) -> Path:
    """Each writes down that it ran, and then does what its text says."""
    journal = machine.directory / "journal"
    for name, text in scripts.items():
        script = machine.directory / name
        script.write_text(f'#!/bin/sh\necho {name} "$@" >> {journal}\n{text}\n')
        script.chmod(0o755)
    machine.team_keys["hooks"] = {name: [str(machine.directory / name)] for name in scripts}
    machine.write_config()
    return journal


def test_a_switch_gives_an_environment_what_the_other_one_has(one):
    one.switch("green")
    assert contents(green_of(one)) == BLUE
    assert contents(target_of(one, "blue")) == contents(target_of(one, "green")) == BLUE
    assert differences(one.source, green_of(one)) == []
    backup = next((green_of(one) / ".gluster-sync/backups").iterdir())
    assert contents(backup) == {"jobs/old": "old green", "file": "old green"}


def test_a_switch_to_an_environment_that_never_was_used(pair):
    one, _ = pair
    one.write("file", "blue")
    one.switch("green")
    assert contents(green_of(one)) == contents(target_of(one, "green")) == {"file": "blue"}
    (green_of(one) / "file").write_text("green goes on")
    assert one.run("now", TEAM, "green", "--json").report["outcome"] == "committed"
    assert contents(target_of(one, "green")) == {"file": "green goes on"}


def test_what_the_environment_had_can_be_brought_back(one):
    one.switch("green")
    one.run("recover", TEAM, "green", "--from", 1)
    assert contents(green_of(one)) == {"jobs/old": "old green", "file": "old green"}


def test_a_dry_run_changes_nothing_and_says_what_would_be_done(one, tmp_path):
    journal = hooks(one, before_switch="", after_switch="", before_recover="", after_recover="")
    saved = tmp_path / "saved"
    copy_of(one.directory, saved)
    before = {env: contents(target_of(one, env)) for env in ("blue", "green")}
    answer = one.switch("green", "--dry-run")
    assert "devops/blue: would commit what has changed" in answer.output
    assert "would raise the epoch to 2 and restore what devops/blue has" in answer.output
    answer = one.run("recover", TEAM, "green", "--dry-run")
    assert "would raise the epoch to 2 and restore generation 1 of " in answer.output
    assert f"devops/green: would run {one.directory}/before_recover" in answer.output
    assert not journal.exists()
    assert {env: contents(target_of(one, env)) for env in ("blue", "green")} == before
    assert differences(saved, one.directory) == []


def test_hooks_run_around_a_switch_and_a_recovery(one):
    journal = hooks(one, before_switch="", after_switch=f"test -e {green_of(one)}/jobs/a/config.xml",
                    before_recover="", after_recover="")
    one.switch("green")
    one.run("recover", TEAM, "green")
    assert journal.read_text().splitlines() == [
        f"{name} {TEAM} green" for name in ("before_switch", "after_switch", "before_recover", "after_recover")]


def test_a_hook_that_fails_beforehand_stops_everything(one):
    hooks(one, before_switch="echo still in use; exit 3", before_recover="exit 4")
    answer = one.run("switch", TEAM, "green", check=False)
    assert answer.code == 1 and "before: still in use" in answer.errors and "ended with 3" in answer.errors
    answer = one.run("recover", TEAM, "green", check=False)
    assert answer.code == 1 and "ended with 4" in answer.errors
    assert contents(green_of(one)) == {"jobs/old": "old green", "file": "old green"}


def test_a_hook_that_fails_afterwards_is_told(one):
    hooks(one, after_recover="exit 5")
    answer = one.run("recover", TEAM, "green", check=False)
    assert answer.code == 1 and "ended with 5" in answer.errors


def test_an_environment_to_take_from_has_to_be_clear(one):
    answer = one.run("switch", TEAM, "green", "--from", "red", check=False)
    assert answer.code == 1 and "no such other environment" in answer.errors
    one.team_keys["environments"] = ["blue", "green", "red"]
    one.write_config()
    answer = one.run("switch", TEAM, "green", check=False)
    assert answer.code == 1 and "name one with --from" in answer.errors
    one.switch("green", "--from", "blue")
    assert contents(green_of(one)) == BLUE


@pytest.mark.parametrize("call", COMMIT_CHANGES)
def test_a_switch_that_was_killed_anywhere_is_finished_by_the_next_one(one, tmp_path, call):
    saved = tmp_path / "saved"
    saved.mkdir()
    for directory in (one.directory, one.target):
        copy_of(directory, saved / directory.name)

    def reset() -> None:
        for directory in (one.directory, one.target):
            copy_of(saved / directory.name, directory)

    def check(number: int) -> None:
        one.switch("green")
        assert contents(green_of(one)) == BLUE, (call, number)
        assert contents(target_of(one, "blue")) == contents(target_of(one, "green")) == BLUE, (call, number)
        kept = [contents(backup) for backup in (green_of(one) / ".gluster-sync/backups").iterdir()]
        assert {"jobs/old": "old green", "file": "old green"} in kept, (call, number)

    assert kill_everywhere(one, call, ("switch", TEAM, "green"), reset, check) > 0


def test_jenkins_goes_on_with_build_numbers_that_were_never_given(pair):
    """The example in etc/, as a hook of a recovery on another machine."""
    one, two = pair
    for job, next_build, builds in (("a", "7", (5, 6)), ("folder/jobs/b", "3", (4, 20)), ("c", "1", ())):
        one.write(f"jobs/{job}/nextBuildNumber", next_build + "\n")
        for build in builds:
            one.write(f"jobs/{job}/builds/{build}/build.xml", "<build/>")
        one.write(f"jobs/{job}/builds/permalinks", "lastStableBuild -1")
    one.now()
    example = Path(__file__).parents[2] / "etc/gluster-sync/jenkins-after-recover.sh"
    two.team_keys["hooks"] = {"after_recover": ["/usr/bin/env", f"JENKINS_HOME={two.source}", "PATH=/usr/bin:/bin",
                                                str(example)]}
    two.write_config()
    two.recover()
    numbers = {job: int((two.source / f"jobs/{job}/nextBuildNumber").read_text()) for job in ("a", "folder/jobs/b", "c")}
    assert numbers == {"a": 17, "folder/jobs/b": 31, "c": 11}
    assert two.now()["outcome"] == "committed"
