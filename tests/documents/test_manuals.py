"""The manual pages say what the programs do: every key, option and command is there, and nothing else is."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("VRRPD_BUILD") or SOURCE / "build" / "dev")
PAGES = sorted((SOURCE / "packaging" / "man").iterdir())
PROGRAMS = {
    "vrrpd.8": BUILD / "vrrpd/vrrpd",
    "vrrpctl.8": BUILD / "vrrpd/vrrpctl",
    "gluster-sync.8": BUILD / "sync/gluster-sync",
    "haproxy-probe.1": BUILD / "haproxy_probe/haproxy-probe",
}


def page(name: str) -> str:
    return (SOURCE / "packaging" / "man" / name).read_text()


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30, check=False)


def documented_keys(name: str) -> set[str]:
    """The last part of each key: `haproxy.demote.down` is about `down`."""
    return {key.rpartition(".")[2] for key in re.findall(r"^\.It Ic ([a-z_.]+)", page(name), re.M)}


def schema_keys(folder: str) -> set[str]:
    """From the lists that the schema compares a file's keys with: `k…Known[] = {"a", "b"}` and their like."""
    keys: set[str] = set()
    for file in sorted((SOURCE / folder).glob("*.cpp")):
        for words in re.findall(r"string_view k(?:\w*Known|Kinds|Common)\[\] = \{(.*?)\};", file.read_text(), re.S):
            keys |= set(re.findall(r'"([a-z_]+)"', words))
        for words in re.findall(r"OwnKey kOwnKeys\[\] = \{(.*?)\};", file.read_text(), re.S):
            keys |= set(re.findall(r'\{"([a-z_]+)"', words))
    return keys


@pytest.mark.parametrize(
    ("name", "folder"), [("vrrpd.yaml.5", "vrrpd/config"), ("gluster-sync.yaml.5", "sync")]
)
def test_every_key_is_in_the_manual_and_no_other(name: str, folder: str):
    known = schema_keys(folder)
    assert len(known) > 20
    assert documented_keys(name) == known


def test_the_lists_of_keys_are_those_that_diagnostics_show(tmp_path: Path):
    file = tmp_path / "vrrpd.yaml"
    file.write_text("zzzzzzzzzzzz: 1\ninstances: [{zzzzzzzzzzzz: 1}]\nhaproxy: {zzzzzzzzzzzz: 1}\n")
    shown = re.findall(r"known here: (.*)", run(BUILD / "vrrpd/vrrpd", "--check-config", file).stderr)
    assert len(shown) == 3
    assert {key for line in shown for key in line.split(", ")} <= schema_keys("vrrpd/config")


def options_of(help_text: str) -> set[str]:
    return set(re.findall(r"^ {2}(?:-\w,)?(--[a-z-]+)", help_text, re.M))


def commands_of(help_text: str) -> set[str]:
    after = help_text.partition("Subcommands:\n")[2].partition("\n\n")[0]
    return set(re.findall(r"^ {2}([a-z-]+)", after, re.M))


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_option_and_command_is_in_the_manual_and_no_other(name: str):
    program = PROGRAMS[name]
    help_text = run(program, "--help").stdout
    options, commands = options_of(help_text), commands_of(help_text)
    for command in commands:
        options |= options_of(run(program, command, "--help").stdout)
    text = page(name)
    mentioned = set(re.findall(r"Fl -([a-z-]+)", text))
    assert {f"--{option}" for option in mentioned} == options
    items = set(re.findall(r"^\.It Cm ([a-z-]+)", text, re.M))
    assert items == commands


@pytest.mark.parametrize(
    ("name", "command"),
    [("vrrpd.yaml.5", ["vrrpd/vrrpd", "--check-config"]), ("gluster-sync.yaml.5", ["sync/gluster-sync", "check-config"])],
)
def test_the_example_is_a_good_configuration(name: str, command: list[str], tmp_path: Path):
    example = re.search(r"^\.Sh EXAMPLES.*?^\.Bd [^\n]*\n(.*?)^\.Ed", page(name), re.M | re.S)
    assert example
    file = tmp_path / "example.yaml"
    file.write_text(example.group(1))
    result = run(BUILD / command[0], *command[1:], file)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_mandoc_finds_nothing_to_complain_about(path: Path):
    lines = run("mandoc", "-Tlint", path).stdout.splitlines()
    # Whether a page that is referred to exists is asked below, and not of this machine.
    assert [line for line in lines if "referenced manual not found" not in line] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_page_that_is_referred_to_is_there(path: Path):
    ours = {page.name for page in PAGES} | {"haproxy.1", "rsync.1", "tcpdump.8", "tshark.1"}
    for name, section in re.findall(r"^\.Xr (\S+) (\d)", path.read_text(), re.M):
        assert f"{name}.{section}" in ours
