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


@pytest.mark.parametrize(
    ("sample", "folder"), [("etc/vrrpd.yaml", "vrrpd/config"), ("etc/gluster-sync/gluster-sync.yaml", "sync")]
)
def test_the_exhaustive_sample_names_every_key(sample: str, folder: str):
    assert schema_keys(folder) - set(re.findall(r"[a-z_]+", (SOURCE / sample).read_text())) == set()


def paragraph(section: str, key: str) -> str:
    """What vrrpd.yaml(5) says about a key, which is the whole list of keys that share a text."""
    text = page("vrrpd.yaml.5")
    within = text[text.index(f'\n.Ss {section}\n'):]
    within = within[: within.index("\n.Ss ", 1)] if "\n.Ss " in within[1:] else within
    found = re.search(rf"^\.It Ic {re.escape(key)}\n((?:\.It .*\n)*.*?)(?=^\.It |^\.El)", within, re.M | re.S)
    assert found, (section, key)
    return " ".join(re.sub(r"^\.[A-Z][a-z] ", "", line) for line in found.group(1).splitlines())


# Where a value stands in a file, by the section of the manual: {} is the value of the key.
PLACES = {
    "Each of instances": "instances: [{{name: A, addresses: [10.0.0.1/24], {key}: {value}}}]\n",
    "checks": "instances: [{{name: A, vrid: 1, addresses: [10.0.0.1/24], track: [{{check: c, demote: 5}}]}}]\n"
              'checks: {{c: {{process: a, {key}: {value}}}}}\n',
    "haproxy": "instances: [{{name: A, vrid: 1, addresses: [10.0.0.1/24], track: [haproxy]}}]\nhaproxy: {{{key}: {value}}}\n",
}
RANGES = [
    ("Each of instances", "vrid", "99999"), ("Each of instances", "priority", "99999"),
    ("Each of instances", "advertisement_interval", "999h"), ("Each of instances", "preempt_delay", "999h"),
    ("Each of instances", "minimum_ttl", "99999"), ("Each of instances", "lease", "999h"),
    ("Each of instances", "gratuitous_arp.repeat", "99999"), ("Each of instances", "gratuitous_arp.second_burst_delay", "999h"),
    ("Each of instances", "gratuitous_arp.refresh", "999h"), ("Each of instances", "notify.timeout", "999h"),
    ("Each of instances", "gratuitous_arp.conflict_repeat", "99999"), ("Each of instances", "gratuitous_arp.spacing", "999h"),
    ("Each of instances", "gratuitous_arp.conflict_delay", "999h"), ("checks", "grace", "999h"),
    ("checks", "interval", "999h"), ("checks", "timeout", "999h"), ("checks", "recover", "999h"),
    ("checks", "fall", "99999"), ("checks", "rise", "99999"), ("checks", "at_least", "99999"), ("checks", "at_most", "99999"),
    ("haproxy", "interval", "999h"), ("haproxy", "timeout", "999h"), ("haproxy", "stale_after", "999h"),
    ("haproxy", "threshold", "999%"), ("haproxy", "quorum", "99999"), ("haproxy", "grace", "999h"),
    ("haproxy", "recover", "999h"), ("haproxy", "demote.unhealthy", "999"), ("haproxy", "demote.down", "999"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "key", "value"), RANGES)
def test_the_range_in_the_manual_is_the_one_that_is_enforced(section: str, key: str, value: str, tmp_path: Path):
    outer, _, inner = key.partition(".")
    if outer == "notify":
        inner, value = "master", f"{{command: [/bin/true], {inner}: {value}}}"
    file = tmp_path / "vrrpd.yaml"
    file.write_text(PLACES[section].format(key=outer, value=f"{{{inner}: {value}}}" if inner else value))
    said = run(BUILD / "vrrpd/vrrpd", "--check-config", file).stderr
    found = re.search(r" in (?:0s, or )?([0-9.]+[a-z%]*)-([0-9.]+[a-z%]*)", said)
    assert found, said
    assert f"{found.group(1)}-{found.group(2)}" in paragraph(section, key)


def test_each_default_in_the_manual_is_the_one_that_is_taken(tmp_path: Path):
    """For keys whose default is one word."""
    file = tmp_path / "vrrpd.yaml"
    file.write_text(
        "instances: [{name: A, vrid: 1, addresses: [10.0.0.1/24], track: [haproxy, {check: c, demote: 5}]}]\n"
        'haproxy: {}\nchecks: {c: {tcp: "127.0.0.1:80"}}\n'
    )
    printed = run(BUILD / "vrrpd/vrrpd", "--print-config", file).stdout
    instance, _, rest = printed.partition("\nchecks:\n")
    checks, _, haproxy = rest.partition("\nhaproxy:\n")
    haproxy = haproxy.partition("\ncontrol:")[0]
    seen = 0
    for section, text in (("Each of instances", instance), ("checks", checks), ("haproxy", haproxy)):
        for line in text.splitlines():
            if line.strip().startswith("- {"):
                continue  # a list of the user's
            # `a: b`, and the insides of `a: {b: c, d: e}`.
            outer, _, value = line.strip().lstrip("- ").partition(": ")
            inside = re.findall(r"(\w+): ([^,{}]+)", value) if value.startswith("{") else []
            pairs = [(f"{outer}.{key}" if section != "checks" else key, one) for key, one in inside] or [(outer, value)]
            for key, one in pairs:
                one = one.strip('"')
                if key.split(".")[0] in ("name", "vrid", "node", "startup_delay", "instances", "addresses", "track", "lease", "tcp", "multicast_group"):
                    continue
                if value in ("", "[]", '""'):
                    continue
                words = paragraph(section, key).replace("Cm ", "")
                assert re.search(rf"(?<![\w.]){re.escape(one)}(?![\w])", words), (section, key, one, words)
                seen += 1
    assert seen > 25


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


def items_of(name: str, section: str) -> set[str]:
    text = page(name).partition(f"\n.Sh {section}\n")[2].partition("\n.Sh ")[0]
    return set(re.findall(r"^\.It Ic ([a-z-]+)$", text, re.M))


def test_every_key_of_the_status_is_in_the_manual_and_no_other():
    status = (SOURCE / "vrrpd/runtime/status.cpp").read_text()
    keys = set(re.findall(r'(?:member|key|text_or_null)\("([a-z-]+)"|write_list\(json, "([a-z-]+)"', status))
    counters = (SOURCE / "vrrpd/wire/receive.cpp").read_text().partition("counter_name(PacketError error) {")[2]
    known = {key for pair in keys for key in pair if key} | set(re.findall(r'return "([a-z-]+)"', counters))
    text = page("vrrpctl.8").partition("\n.Sh STATUS AS JSON\n")[2].partition("\n.Sh ")[0]
    documented = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"^(?:\.It )?\.?Ic (.*)$", text, re.M))))
    assert len(known) > 50
    assert documented == known


def test_every_kind_of_event_is_in_the_manual_and_no_other():
    sources = [*(SOURCE / "vrrpd").glob("*.cpp"), *(SOURCE / "vrrpd/runtime").glob("*.cpp")]
    kinds = {kind for file in sources for kind in re.findall(r'note\(\s*"([a-z-]+)",', file.read_text())}
    assert items_of("vrrpctl.8", "EVENTS") == kinds


def test_every_kind_of_alarm_is_in_the_manual_and_no_other():
    kinds = re.findall(r'string_view k\w+ = "([a-z-]+)";', (SOURCE / "vrrpd/runtime/mismatch.cpp").read_text())
    for file in (SOURCE / "vrrpd/runtime").glob("*.cpp"):
        kinds += re.findall(r'raise\(\s*"([a-z-]+)"', file.read_text())
    assert len(kinds) >= 10
    assert items_of("vrrpctl.8", "ALARMS") == set(kinds)


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
    others = {"haproxy.1", "ip-route.8", "ip-rule.8", "rsync.1", "tcpdump.8", "tshark.1"}
    ours = {page.name for page in PAGES} | others
    for name, section in re.findall(r"^\.Xr (\S+) (\d)", path.read_text(), re.M):
        assert f"{name}.{section}" in ours
