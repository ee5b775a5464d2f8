"""The guides: what they tell people to type exists, and every question the users asked has its answer."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("VRRPD_BUILD") or SOURCE / "build" / "dev")
GUIDES = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "packaging" / "doc").glob("*.md"))]
PROGRAMS = {
    "vrrpctl": BUILD / "vrrpd/vrrpctl",
    "vrrpd": BUILD / "vrrpd/vrrpd",
    "gluster-sync": BUILD / "sync/gluster-sync",
    "haproxy-probe": BUILD / "haproxy_probe/haproxy-probe",
}
# What the users' own notes have a section about.
QUESTIONS = (
    "No machine has it", "vrrpd does not start", "It moves to and fro", "It is on the wrong interface",
    "The backup does not take over", "Two machines have it", "Two machines have the same priority",
    "A team is shown as DOWN, but Jenkins runs", "The backup server is not used when the primary one fails",
    "All traffic goes to the backup server", "Nothing is copied", '"Transport endpoint is not connected"',
    "The copies lag behind", "A recovery fails",
)


def help_of(program: str, *words: str) -> str:
    done = subprocess.run(
        [str(PROGRAMS[program]), *words, "--help"], capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout


def typed(text: str) -> set[tuple[str, str, str]]:
    """(program, command, options) of everything that is shown as code."""
    shown = "\n".join(re.findall(r"`([^`\n]+)`", text) + re.findall(r"^    (.*)$", text, re.M))
    shown = shown.replace("\\\n", " ")
    names = "|".join(PROGRAMS)
    return {
        (program, command, rest)
        for program, command, rest in re.findall(
            rf"(?:^|[ |&])({names})(?: (?!-)([a-z][a-z-]*))?((?: +[^|&#<>;\n]*)?)", shown, re.M
        )
    }


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_what_a_guide_tells_to_type_exists(guide: Path):
    for program, command, rest in typed(guide.read_text()):
        known = help_of(program)
        commands = set(re.findall(r"^  ([a-z-]+)", known.partition("Subcommands:\n")[2].partition("\n\n")[0], re.M))
        if commands and command:
            assert command in commands, (program, command)
            known += help_of(program, command)
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
            assert option in known, (program, command, option)


def test_every_question_of_the_users_has_its_answer():
    guide = (SOURCE / "packaging/doc/troubleshooting.md").read_text()
    headings = set(re.findall(r"^#+ (.*)$", guide, re.M))
    assert set(QUESTIONS) <= headings


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_every_page_that_is_linked_is_there(guide: Path):
    for target in re.findall(r"\]\(([^)#:]+)", guide.read_text()):
        assert (guide.parent / target).exists(), target


def test_each_metric_that_is_named_exists():
    source = (SOURCE / "vrrpd/runtime/metrics.cpp").read_text()
    for guide in GUIDES:
        for name in re.findall(r"`(vrrpd_[a-z_]+)`", guide.read_text()):
            assert name in source, (guide.name, name)


def test_each_room_of_the_architecture_is_there():
    text = (SOURCE / "packaging/doc/architecture.md").read_text()
    rooms = re.findall(r"^\| (`.*?) \|", text, re.M)
    assert len(rooms) > 8
    for room in rooms:
        for folder in re.findall(r"`([^`]+)`", room):
            assert (SOURCE / folder).is_dir(), folder
