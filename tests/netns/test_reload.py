"""Reloads, live: what must not move does not, what hands over does so in order, and what is broken changes nothing."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable, Iterator

import pytest
from capture import Capture
from daemons import Instance, Keepalived, Vrrpd, build_directory
from lab import Host, Lab, wait_for
from observe import AddressMonitor

VIP = "10.77.0.100"
INTERVAL = 0.1
# The kernel's time stamps of the two machines, and a busy computer.
SLACK = 0.05


def entry(name: str = "VI_MAIN", vrid: int = 51, addresses: tuple[str, ...] = (f"{VIP}/24",), **keys) -> dict:
    return {"name": name, "interface": "eth0", "vrid": vrid, "priority": 110, "advertisement_interval": "100ms",
            "addresses": list(addresses), **keys}


class Machine(Vrrpd):
    """One of ours with any number of instances."""

    def __init__(self, host: Host, *entries: dict):
        super().__init__(host, Instance())
        self.entries = list(entries)

    def config(self) -> dict:
        return {"node": self.host.name, "instances": self.entries, "control": {"socket": str(self.socket)},
                **self.sections}

    def run(self, *entries: dict) -> None:
        """A reload that has to work."""
        self.entries = list(entries)
        self.write_config()
        self.ctl("reload")

    def states(self) -> dict[str, str]:
        return {instance["name"]: instance["state"] for instance in self.status()["instances"]}

    def wait_for_states(self, **states: str) -> None:
        wait_for(lambda: f"{states}; they are {self.states()}", lambda: self.states() == states, every=0.05)


def missed(capture: Capture, mac: str, since: float, vrid: int = 51) -> int:
    """How many advertisements an interval asks for and nobody sent, from the last one before `since` on. One that a busy
    machine sends late is none of them: the next is in time again."""
    times = [advert.time for advert in capture.adverts(mac) if advert.vrid == vrid]
    first = max((at for at in times if at <= since), default=times[0])
    last = times[-1]
    return round((last - first) / INTERVAL) - len([at for at in times if first < at <= last])


def announced(capture: Capture, since: float) -> list[str]:
    rows = capture.rows("arp.isgratuitous", "frame.time_epoch", "arp.src.proto_ipv4")
    return [row["arp.src.proto_ipv4"] for row in rows if float(row["frame.time_epoch"]) >= since]


def wait_for_adverts(capture: Capture, mac: str, since: float, count: int = 4) -> None:
    wait_for("advertisements after the reload",
             lambda: len([a for a in capture.adverts(mac) if a.time > since]) >= count, every=0.1)


# ---- broken files ----


class Running:
    """A master that is followed by keepalived, and what has been seen of the two since."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.monitor = AddressMonitor(lab, lab["one"], lab["two"])
        # One burst and no more, so that any later announcement shows.
        once = {"repeat": 5, "second_burst_delay": "0s", "refresh": "0s"}
        self.master = Machine(lab["one"], entry(gratuitous_arp=once))
        self.master.start()
        owner_since = self.monitor.wait_for_owner(VIP, lab["one"])
        wait_for("its announcements to be over", lambda: time.time() > owner_since + 0.5)
        self.peer = Keepalived(lab["two"], Instance(priority=100))
        self.peer.start()
        self.capture = Capture(lab)
        self.good = self.master.file.read_text()

    def nothing_has_changed(self, since: float, before: dict) -> None:
        after = self.master.instance_status()
        same = ("name", "interface", "vrid", "version", "state", "since", "priority", "effective-priority", "addresses")
        assert {key: after[key] for key in same} == {key: before[key] for key in same}
        wait_for_adverts(self.capture, self.master.mac(), since)
        adverts = self.capture.adverts(self.master.mac())
        assert missed(self.capture, self.master.mac(), since) <= 0
        assert {(a.vrid, a.priority, a.interval, a.addresses) for a in adverts} == {(51, 110, INTERVAL, (VIP,))}
        assert self.peer.state() == "backup"
        assert [stretch.host for stretch in self.monitor.stretches(VIP)] == ["one"]
        assert announced(self.capture, since) == []


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Lab("one", "two") as lab:
        yield Running(lab)


def edit(*changes: tuple[str, str]) -> Callable[[Path, str], None]:
    def apply(file: Path, good: str) -> None:
        text = good
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file.write_text(text)

    return apply


def keys(**changed) -> Callable[[Path, str], None]:
    """The instance with other keys; None leaves one out."""

    def apply(file: Path, good: str) -> None:
        config = json.loads(good)
        config["instances"][0].update(changed)
        config["instances"][0] = {k: v for k, v in config["instances"][0].items() if v is not None}
        file.write_text(json.dumps(config))

    return apply


def whole(text: str | bytes) -> Callable[[Path, str], None]:
    return lambda file, good: file.write_bytes(text if isinstance(text, bytes) else text.encode()) and None


def second(**changed) -> Callable[[Path, str], None]:
    def apply(file: Path, good: str) -> None:
        config = json.loads(good)
        config["instances"].append({**entry("VI_TWO", 52, ("10.77.0.102/24",)), **changed})
        file.write_text(json.dumps(config))

    return apply


def pipe(file: Path, good: str) -> None:
    file.unlink()
    os.mkfifo(file)


def directory(file: Path, good: str) -> None:
    file.unlink()
    file.mkdir()


# What is done to the good file, and what has to be said of each problem, one line each.
BROKEN: dict[str, tuple[Callable[[Path, str], None], list[str]]] = {
    "empty": (whole(""), ["is empty"]),
    "gone": (lambda file, good: file.unlink(), ["cannot be read"]),
    "a-directory": (directory, ["is not a plain file"]),
    "a-pipe": (pipe, ["is not a plain file"]),
    "larger-than-1-MiB": (whole("#" * 1_100_000), ["1 MiB"]),
    "not-text": (whole(b"\x7fELF\x02\x01\x01\x00"), ["is no text"]),
    "a-bracket-missing": (lambda file, good: file.write_text(good.rstrip()[:-1]) and None, ["not valid YAML"]),
    "cut-in-half": (lambda file, good: file.write_text(good[: len(good) // 2]) and None, ["not valid YAML"]),
    "two-documents": (lambda file, good: file.write_text(good + "---\n" + good) and None, ["one document"]),
    "a-tab": (whole("instances:\n\t- name: A\n"), ["a tab"]),
    "a-list": (whole("- a\n"), ["has to be a map"]),
    "no-instances": (edit(('"instances"', '"instancs"')), ["'instances' is required", "did you mean 'instances'?"]),
    "no-vrid": (keys(vrid=None), ["'vrid' is required"]),
    "no-addresses": (keys(addresses=None), ["'addresses' is required"]),
    "vrid-out-of-range": (keys(vrid=256), ["1-255"]),
    "priority-out-of-range": (keys(priority=300), ["1-255"]),
    "priority-in-words": (keys(priority="banana"), ["banana"]),
    "interval-without-unit": (keys(advertisement_interval=1), ["no unit"]),
    "interval-too-long": (keys(advertisement_interval="41s"), ["10ms-40950ms|10ms-40.95s"]),
    "address-with-99-bits": (keys(addresses=[f"{VIP}/99"]), ["99"]),
    "address-of-two-families": (keys(addresses=[f"{VIP}/24", "fd77::100/64"]), ["IPv6|IPv4"]),
    "address-twice": (keys(addresses=[f"{VIP}/24", f"{VIP}/24"]), ["already|twice"]),
    "unknown-key": (keys(prioritty=5), ["did you mean 'priority'?"]),
    "key-twice": (edit(('"vrid": 51', '"vrid": 51, "vrid": 52')), ["already given"]),
    "password-in-version-3": (keys(authentication={"type": "pass", "password": "x"}), ["version 2"]),
    "peer-of-another-family": (keys(unicast_peers=["fd77::2"]), ["IPv4|IPv6"]),
    "group-that-is-none": (keys(multicast_group="10.0.0.1"), ["multicast"]),
    "haproxy-that-is-not-there": (keys(track=["haproxy"]), ["haproxy"]),
    "name-twice": (second(name="VI_MAIN"), ["VI_MAIN"]),
    "vrid-twice": (second(vrid=51), ["vrid 51"]),
    "address-of-two-instances": (second(addresses=[f"{VIP}/24"]), [VIP]),
    "interface-misspelt": (keys(interface="eht0"), ["no interface eht0"]),
    "address-on-no-interface": (
        keys(addresses=[f"{VIP}/24", {"address": "10.77.0.101/24", "interface": "eht1"}]), ["no interface eht1"]),
    "track-of-no-interface": (keys(track=[{"interface": "eht2", "demote": 30}]), ["no interface eht2"]),
    "no-network-for-the-address": (second(interface=None, addresses=["172.31.9.9/24"]), ["VI_TWO|interface"]),
    "five-faults-in-one": (
        keys(vrid=0, priority=256, preempt="yes", advertisement_interval="5ms", minimum_ttl=300),
        ["vrid", "priority", "preempt", "advertisement_interval", "minimum_ttl"]),
}


def restore(file: Path, good: str) -> None:
    if file.is_dir():
        file.rmdir()
    elif file.exists():
        file.unlink()
    file.write_text(good)


def says(problem: str, line: str) -> bool:
    return any(part in line for part in problem.split("|"))


def assert_every_problem_is_named(file: Path, text: str, problems: list[str]) -> None:
    lines = [line for line in text.splitlines() if "error: " in line and str(file) in line]
    left = list(lines)
    for problem in problems:
        match = next((line for line in left if says(problem, line)), None)
        assert match, f"nothing says {problem!r} in:\n" + "\n".join(lines)
        left.remove(match)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_changes_nothing_and_every_problem_is_named(running: Running, name: str):
    master = running.master
    damage, problems = BROKEN[name]
    before, since = master.instance_status(), time.time()
    try:
        damage(master.file, running.good)
        answer = master.ctl("reload", check=False)
    finally:
        restore(master.file, running.good)
    assert answer.code == 1, answer
    assert_every_problem_is_named(master.file, answer.output + answer.errors, problems)
    running.nothing_has_changed(since, before)


@pytest.mark.parametrize("name", ["five-faults-in-one", "interface-misspelt", "a-pipe"])
def test_a_broken_file_and_a_signal_change_nothing_and_the_log_names_every_problem(running: Running, name: str):
    master = running.master
    damage, problems = BROKEN[name]
    before, since, said = master.instance_status(), time.time(), len(master.main.log)
    try:
        damage(master.file, running.good)
        master.main.signal(signal.SIGHUP)
        wait_for("the refusal in the log", lambda: "reload refused" in master.main.log[said:])
    finally:
        restore(master.file, running.good)
    assert_every_problem_is_named(master.file, master.main.log[said:], problems)
    running.nothing_has_changed(since, before)


# ---- good files ----


class Pair:
    """Two of ours, each with VI_MAIN and VI_TWO, all of them master on one."""

    def __init__(self, lab: Lab, monitor: AddressMonitor):
        self.lab, self.monitor = lab, monitor
        self.one = Machine(lab["one"], *self.entries(110))
        self.two = Machine(lab["two"], *self.entries(100))
        self.one.start()
        self.one.wait_for_states(VI_MAIN="master", VI_TWO="master")
        self.two.start()
        self.two.wait_for_states(VI_MAIN="backup", VI_TWO="backup")
        self.capture = Capture(lab)
        self.mac = lab["one"].mac()

    @staticmethod
    def entries(priority: int) -> list[dict]:
        return [entry(addresses=(f"{VIP}/24", "10.77.0.101/24"), priority=priority),
                entry("VI_TWO", 52, ("10.77.0.102/24",), priority=priority)]

    def nobody_moved(self, since: float, *addresses: str) -> None:
        wait_for_adverts(self.capture, self.mac, since, 8)
        for vrid in (51, 52):
            assert missed(self.capture, self.mac, since, vrid) <= 0
        assert 0 not in [advert.priority for advert in self.capture.adverts()]
        assert self.capture.adverts(self.lab["two"].mac()) == []
        for address in addresses:
            assert [stretch.host for stretch in self.monitor.stretches(address)] == ["one"], address


@pytest.fixture
def pair(lab: Lab, monitor: AddressMonitor) -> Pair:
    return Pair(lab, monitor)


def test_only_what_is_new_is_added_and_announced_and_only_what_is_gone_is_removed(pair: Pair):
    # Until the bursts of the start are over.
    quiet = time.time() + 5.5
    wait_for("the second burst to be over", lambda: time.time() > quiet, timeout=8)
    since = time.time()
    main, second_one = pair.entries(110)
    pair.one.run({**main, "addresses": [f"{VIP}/24", "10.77.0.103/24"]}, second_one)
    wait_for("the new address", lambda: pair.monitor.owners("10.77.0.103") == ["one"])
    wait_for("five announcements", lambda: len(announced(pair.capture, since)) >= 5, every=0.2)
    assert set(announced(pair.capture, since)) == {"10.77.0.103"}
    wait_for("the other one to be gone", lambda: pair.monitor.owners("10.77.0.101") == [])
    pair.nobody_moved(since, VIP, "10.77.0.102")
    wait_for("the new list", lambda: [a for a in pair.capture.adverts(pair.mac) if a.vrid == 51][-1].addresses
             == (VIP, "10.77.0.103"), every=0.2)


def test_a_new_lease_is_given_to_addresses_that_stay_where_they_are(pair: Pair):
    since = time.time()
    forever = 2**32 - 1
    for lease, shortest, longest in (("off", forever, forever), ("30s", 27, 30), ("auto", 0, 1)):
        pair.one.run(*({**instance, "lease": lease} for instance in pair.entries(110)))
        left = [address["valid_life_time"] for address in pair.lab["one"].interface_addresses()
                if address["local"] in (VIP, "10.77.0.102")]
        assert len(left) == 2 and all(shortest <= seconds <= longest for seconds in left), (lease, left)
        # Longer than the last of them: how old a lease is counts from the reload, not from before.
        wait_for_adverts(pair.capture, pair.mac, time.time(), 30)
    pair.nobody_moved(since, VIP, "10.77.0.101", "10.77.0.102")
    assert "stood still" not in pair.one.main.log


def test_an_address_that_passes_between_instances_stays_installed(pair: Pair):
    since = time.time()
    pair.one.run(entry(addresses=(f"{VIP}/24",)), entry("VI_TWO", 52, ("10.77.0.102/24", "10.77.0.101/24")))
    pair.nobody_moved(since, VIP, "10.77.0.101", "10.77.0.102")


def test_an_address_that_a_removed_instance_leaves_to_another_stays_installed(pair: Pair):
    pair.one.run(entry(addresses=(f"{VIP}/24", "10.77.0.101/24", "10.77.0.102/24")))
    wait_for("priority 0 of the one that is gone",
             lambda: [a for a in pair.capture.adverts(pair.mac) if (a.vrid, a.priority) == (52, 0)], every=0.1)
    assert [s.host for s in pair.monitor.stretches("10.77.0.102") if s.host == "one"] == ["one"]
    assert "one" in pair.monitor.owners("10.77.0.102")


def test_instances_that_exchange_their_vrids_hand_nothing_over(pair: Pair):
    since = time.time()
    main, second_one = pair.entries(110)
    pair.one.run({**main, "vrid": 52}, {**second_one, "vrid": 51})
    pair.nobody_moved(since, VIP, "10.77.0.101", "10.77.0.102")
    assert pair.one.states() == {"VI_MAIN": "master", "VI_TWO": "master"}


def test_a_new_name_and_a_new_order_hand_nothing_over(pair: Pair):
    since = time.time()
    main, second_one = pair.entries(110)
    statistics = pair.one.instance_status()["statistics"]["advertisement-sent"]
    pair.one.run({**second_one, "name": "VI_OTHER"}, {**main, "name": "VI_RENAMED"})
    pair.nobody_moved(since, VIP, "10.77.0.101", "10.77.0.102")
    assert pair.one.states() == {"VI_OTHER": "master", "VI_RENAMED": "master"}
    assert pair.one.status()["instances"][1]["statistics"]["advertisement-sent"] >= statistics


def test_a_new_vrid_hands_over_in_order_while_the_others_go_on(pair: Pair):
    begin = time.time()
    for daemon, priority in ((pair.two, 100), (pair.one, 110)):  # the backup first
        main, second_one = pair.entries(priority)
        daemon.run({**main, "vrid": 53}, second_one)
    pair.monitor.wait_for_owner(VIP, pair.lab["one"])
    pair.one.wait_for_states(VI_MAIN="master", VI_TWO="master")
    end = time.time()
    # Nobody can be sure of the new virtual router before its down interval has passed.
    assert pair.monitor.longest_with_none(VIP, begin, end) < Instance(priority=100).master_down_interval + 2 * SLACK
    assert pair.monitor.longest_with_two_owners(VIP, begin, end) < SLACK
    adverts = [a for a in pair.capture.adverts(pair.mac) if a.vrid == 51]
    assert (adverts[-1].priority, [a.priority for a in adverts].count(0)) == (0, 1)
    assert missed(pair.capture, pair.mac, begin, 52) <= 0
    assert [stretch.host for stretch in pair.monitor.stretches("10.77.0.102")] == ["one"]


def test_a_removed_instance_leaves_its_address_to_keepalived_after_the_skew_time(lab: Lab, monitor: AddressMonitor):
    ours = Machine(lab["one"], entry(), entry("VI_TWO", 52, ("10.77.0.102/24",)))
    ours.start()
    ours.wait_for_states(VI_MAIN="master", VI_TWO="master")
    peer = Keepalived(lab["two"], Instance(priority=100))
    peer.start()
    begin = time.time()
    ours.run(entry("VI_TWO", 52, ("10.77.0.102/24",)))
    monitor.wait_for_owner(VIP, lab["two"])
    assert monitor.longest_with_none(VIP, begin) < peer.instance.skew_time + 2 * SLACK
    assert monitor.longest_with_two_owners(VIP, begin) < SLACK


def test_an_address_that_the_kernel_refuses_undoes_the_whole_reload(lab: Lab, monitor: AddressMonitor):
    lab["one"].add_interface("eth1", "10.78.0")
    lab["one"].run("sysctl", "-qw", "net.ipv6.conf.eth1.disable_ipv6=1")
    link_local = "fe80::77:100/64"
    ours = Machine(lab["one"], entry(addresses=(link_local, "fd77::100/64")))
    ours.start()
    monitor.wait_for_owner("fd77::100", lab["one"])
    before = ours.file.read_text()
    ours.entries = [entry("VI_NEW", priority=90, addresses=(
        link_local, "fd77::101/64", {"address": "fd77::102/64", "interface": "eth1"}))]
    ours.write_config()
    answer = ours.ctl("reload", check=False)
    assert answer.code == 1 and "fd77::102" in answer.output + answer.errors
    assert ours.states() == {"VI_MAIN": "master"}
    assert "fd77::101/64" not in lab["one"].addresses()
    assert len(monitor.stretches("fd77::100")) == 1
    assert ours.instance_status()["priority"] == 110
    ours.file.write_text(before)
    assert ours.ctl("reload").code == 0


def test_the_first_address_of_a_network_goes_without_taking_the_others_along(lab: Lab, monitor: AddressMonitor):
    addresses = tuple(f"10.99.0.{number}/24" for number in (1, 2, 3))
    ours = Machine(lab["one"], entry(addresses=addresses))
    ours.start()
    monitor.wait_for_owner("10.99.0.3", lab["one"])
    ours.run(entry(addresses=(*addresses[1:], "10.99.0.4/24")))
    wait_for("the new set", lambda: {a for a in lab["one"].addresses() if a.startswith("10.99.")}
             == {"10.99.0.2/24", "10.99.0.3/24", "10.99.0.4/24"})
    instance = ours.instance_status()
    assert instance["alarms"] == [] and instance["statistics"]["addresses-restored"] == 0


# ---- on trial ----


def test_a_reload_that_nobody_confirms_is_taken_back(pair: Pair):
    since = time.time()
    main, second_one = pair.entries(110)
    pair.one.entries = [{**main, "addresses": [f"{VIP}/24", "10.77.0.103/24"]}, second_one]
    pair.one.write_config()
    asked = time.monotonic()
    answer = pair.one.ctl("reload", "--confirm", "2s")
    assert "vrrpctl confirm" in answer.output
    wait_for("the new address", lambda: pair.monitor.owners("10.77.0.103") == ["one"])
    assert 0 < pair.one.status()["pending-confirmation"]["remaining-ms"] <= 2000
    assert "confirm" in pair.one.ctl("status").output

    refused = pair.one.ctl("reload", check=False)
    assert refused.code == 1 and "vrrpctl confirm" in refused.errors
    pair.one.main.signal(signal.SIGHUP)
    wait_for("the former addresses", lambda: pair.monitor.owners("10.77.0.101") == ["one"])
    assert time.monotonic() - asked >= 2
    wait_for("the other one to be gone", lambda: pair.monitor.owners("10.77.0.103") == [])
    assert "pending-confirmation" not in pair.one.status()
    assert "rolled back: nobody confirmed the reload" in pair.one.main.log
    assert pair.one.ctl("confirm", check=False).code == 1
    pair.nobody_moved(since, VIP, "10.77.0.102")


def test_a_reload_that_is_confirmed_stays(pair: Pair):
    main, second_one = pair.entries(110)
    pair.one.entries = [{**main, "addresses": [f"{VIP}/24", "10.77.0.103/24"]}, second_one]
    pair.one.write_config()
    pair.one.ctl("reload", "--confirm", "1s")
    pair.one.ctl("confirm")
    assert "pending-confirmation" not in pair.one.status()
    over = time.time() + 1.2
    wait_for("the time to be over", lambda: time.time() > over)
    assert pair.monitor.owners("10.77.0.103") == ["one"]
    assert "rolled back" not in pair.one.main.log
    assert pair.one.ctl("reload").code == 0


def test_an_engine_that_dies_during_a_trial_leaves_it_to_the_next_one(pair: Pair):
    main, second_one = pair.entries(110)
    pair.one.entries = [{**main, "addresses": [f"{VIP}/24", "10.77.0.103/24"]}, second_one]
    pair.one.write_config()
    pair.one.ctl("reload", "--confirm", "3s")
    os.kill(pair.one.engine(), signal.SIGKILL)
    pair.one.main.wait_for_log("remains in MASTER STATE")
    wait_for("the trial to go on", lambda: "remaining-ms" in pair.one.ctl("status", "--json", check=False).output)
    wait_for("the former addresses", lambda: pair.monitor.owners("10.77.0.101") == ["one"])
    wait_for("the other one to be gone", lambda: pair.monitor.owners("10.77.0.103") == [])


def test_a_time_out_of_range_reloads_nothing_and_a_stop_during_a_trial_says_what_comes_next(pair: Pair):
    for wrong in ("0s", "2h", "60", "soon"):
        answer = pair.one.ctl("reload", "--confirm", wrong, check=False)
        assert answer.code == 1 and "1s-1h" in answer.errors, answer
    assert "reloaded" not in pair.one.main.log
    pair.one.ctl("reload", "--confirm", "1h")
    assert pair.one.stop() == 0
    assert "stopping while a reload waits for confirmation" in pair.one.main.log


# ---- what a daemon leaves open ----


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(grandchild for child in children for grandchild in descendants(int(child)))]


def test_no_descriptor_of_the_daemon_is_left_to_what_it_starts(pair: Pair):
    pair.one.run(*pair.entries(110))
    checked = 0
    for pid in descendants(pair.one.main.pid):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if int(descriptor.name) <= 2:
                continue
            info = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text()
            flags = int(next(line.split()[1] for line in info.splitlines() if line.startswith("flags:")), 8)
            assert flags & os.O_CLOEXEC, f"process {pid}: {os.readlink(descriptor)}"
            checked += 1
    assert checked > 5


def test_the_socket_and_its_lock_are_for_nobody_else(pair: Pair):
    assert pair.one.socket.stat().st_mode & 0o777 == 0o660
    lock = Path(f"{pair.one.socket}.lock")
    assert lock.stat().st_mode & 0o777 == 0o600
    assert pair.one.stop() == 0
    assert not lock.exists() and not pair.one.socket.exists()


def test_of_daemons_that_start_at_the_same_moment_exactly_one_runs(lab: Lab):
    daemon = Machine(lab["one"], entry())
    daemon.write_config()
    program = build_directory() / "vrrpd" / "vrrpd"
    gate = lab["one"].directory / "gate"
    os.mkfifo(gate)
    # Whoever reads from the gate goes on when the last writer has closed it.
    writer = os.open(gate, os.O_RDWR)
    command = f"exec 3<{gate}; echo ready; read line <&3; exec {program} --config {daemon.file} 3<&-"
    started = [lab["one"].start("vrrpd", "sh", "-c", command) for _ in range(6)]
    for process in started:
        process.wait_for_log("ready")
    os.close(writer)
    wait_for("all but one to end", lambda: sum(process.running() for process in started) == 1, timeout=20)
    losers = [process for process in started if not process.running()]
    assert {process.exit_code() for process in losers} == {1}
    for process in losers:
        assert f"{daemon.socket}.lock" in process.log and "process" in process.log
    assert daemon.ctl("status", check=False).code in (0, 1)
