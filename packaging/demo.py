"""The play of packaging/demo.sh: two HAProxy machines, three scenarios, a time line. The lab is the tests' own."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import sys
import threading
import time
from pathlib import Path

SOURCE_DIR = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE_DIR / "tests" / "netns"))

import lab as lab_module
from daemons import TEAMS, Haproxy, Instance, Vrrpd, build_directory
from lab import Host, Lab, LabFailure
from observe import AddressMonitor, Client, Request

SAMPLE = SOURCE_DIR / "etc" / "vrrpd-vm2.yaml"
VIP = "10.77.0.100"
GRACE = 3
RECOVER = 3


class Sample(Vrrpd):
    """vrrpd on the sample as it is but for `changes`, this lab's addresses and sockets, and shorter waits."""

    def __init__(self, host: Host, stats_socket: Path, changes: dict[str, str]):
        super().__init__(host, Instance(interval=1))
        self._replacements = {
            **changes,
            "192.168.1.": "10.77.0.",
            "haproxy:\n": f"control: {{socket: {self.socket}}}\n\nhaproxy:\n  stats: {stats_socket}\n"
            f"  grace: {GRACE}s\n  recover: {RECOVER}s\n",
        }

    def config_text(self) -> str:
        text = SAMPLE.read_text()
        for old, new in self._replacements.items():
            if old not in text:
                raise LabFailure(f"{SAMPLE} does not say {old!r} any more; the demo has to follow")
            text = text.replace(old, new)
        return text


class Machine:
    def __init__(self, lab: Lab, name: str, other: str, changes: dict[str, str] | None = None):
        self.host = lab[name]
        self.name = name
        self.haproxy = Haproxy(self.host, (lab[other],), check="inter 500ms fall 2 rise 2")
        self.vrrpd = Sample(self.host, self.haproxy.stats_socket, changes or {})

    def start(self) -> None:
        self.host.add_interface("eth1", "10.78.0")
        self.haproxy.start()
        self.vrrpd.start()


class TimeLine:
    """Prints what changes on the machines as it happens, each line with the seconds since the beginning."""

    def __init__(self, machines: list[Machine], monitor: AddressMonitor):
        self._machines = machines
        self._monitor = monitor
        self._begin = time.time()
        self._printing = threading.RLock()
        self._stop = threading.Event()
        self._seen: dict[str, tuple] = {}
        self._stretches = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def title(self, text: str) -> None:
        with self._printing:
            self._look()
            print(f"\n{text}", flush=True)

    def say(self, text: str) -> None:
        """A line of ours, after all that has happened before it."""
        with self._printing:
            self._look()
            self._print(time.time(), text)

    def act(self, text: str) -> float:
        """Announces what the demo does to the machines; returns when."""
        self.say(f">>> {text}")
        return time.time()

    def _print(self, at: float, text: str) -> None:
        print(f"{at - self._begin:8.3f} s  {text}", flush=True)

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            with self._printing:
                self._look()

    def _look(self) -> None:
        self._show_moves()
        for machine in self._machines:
            self._show_changes(machine)

    def _show_changes(self, machine: Machine) -> None:
        try:
            status = machine.vrrpd.status()
        except (LabFailure, ValueError):
            return
        instance, haproxy = status["instances"][0], status["haproxy"]
        teams = " ".join(f"{team['name']}:{'up' if team['healthy'] else 'DOWN'}" for team in haproxy["teams"])
        now = (instance["state"], instance["effective-priority"], haproxy["verdict"], teams)
        if self._seen.get(machine.name) == now:
            return
        self._seen[machine.name] = now
        state, priority, verdict, teams = now
        grace = haproxy["grace-remaining-ms"]
        waiting = f"  (grace: {grace / 1000:.1f} s left)" if grace > 0 and verdict == "healthy" else ""
        line = f"    {machine.name}  {state:<7}  priority {priority:>3}  haproxy {verdict:<9}  {teams}{waiting}"
        self._print(time.time(), line)

    def _show_moves(self) -> None:
        stretches = self._monitor.stretches(VIP)
        for stretch in stretches[self._stretches :]:
            self._print(stretch.begin, f"    {VIP} is on {stretch.host}")
        self._stretches = len(stretches)


class Demo:
    def __init__(self, lab: Lab):
        self.lab = lab
        self.one = Machine(lab, "vm1", "vm2", {"node: jenkins-vm2": "node: jenkins-vm1", "priority: 100": "priority: 110"})
        self.two = Machine(lab, "vm2", "vm1")
        self.monitor = AddressMonitor(lab, self.one.host, self.two.host)
        self.time_line = TimeLine([self.one, self.two], self.monitor)

    def play(self) -> None:
        print(
            f"\nvm1 ({self.one.host.ipv4}, priority 110) and vm2 ({self.two.host.ipv4}, priority 100), each with"
            f"\nHAProxy for the teams {', '.join(TEAMS)}, and one address for both of them, {VIP}."
            f"\nA client asks for team ba every 20 ms.\n"
        )
        self.one.start()
        self.two.start()
        self.time_line.start()
        try:
            requests = self._scenarios()
        finally:
            self.time_line.stop()
        lost = sum(1 for request in requests if not request.answer)
        owners = self.monitor.longest_with_two_owners(VIP)
        print(
            f"\nAltogether {lost} of {len(requests)} requests were lost; the longest time for which both machines had "
            f"the address\nwas {owners * 1000:.1f} ms."
        )

    def _scenarios(self) -> list[Request]:
        self.monitor.wait_for_owner(VIP, self.one.host)
        client = Client(self.lab["client"], VIP, path="/ba")
        client.wait_for_answer()
        self.haproxy_dies(client)
        self.one_team_dies(client)
        self.three_teams_die(client)
        return client.stop()

    def haproxy_dies(self, client: Client) -> None:
        self.time_line.title("1. HAProxy on the master dies: the address moves at once.")
        began = self.time_line.act("kill -9 of HAProxy on vm1")
        self.one.haproxy.kill_haproxy()
        self._moved_to_two(began, client)
        self.time_line.act("HAProxy on vm1 is started again")
        self.one.haproxy.start_haproxy()
        self._back_on_one(began, client)

    def one_team_dies(self, client: Client) -> None:
        self.time_line.title("2. One of four teams dies on the master: nothing moves, HAProxy routes around it.")
        began = self.time_line.act("kill -9 of team ba's server on vm1")
        before = len(self.monitor.stretches(VIP))
        self.one.haproxy.kill_servers("ba")
        self.one.vrrpd.main.wait_for_log("NO FAILOVER: 75% is not below 50%")
        lab_module.holds_for("the address stays", lambda: self.monitor.owners(VIP) == ["vm1"], seconds=GRACE + 2)
        if len(self.monitor.stretches(VIP)) != before:
            raise LabFailure("the address has moved")
        self.time_line.say(f"the address has stayed on vm1; {self._lost(client, began)}")
        self._revive("ba")

    def three_teams_die(self, client: Client) -> None:
        self.time_line.title("3. Three of four teams die on the master: after the grace period the address moves.")
        began = self.time_line.act("kill -9 of the servers of ma, ba and tw on vm1")
        self.one.haproxy.kill_servers("ma", "ba", "tw")
        self._moved_to_two(began, client)
        self._revive("ma", "ba", "tw")
        self._back_on_one(began, client)

    def _revive(self, *teams: str) -> None:
        self.time_line.act(f"{', '.join(teams)} on vm1: started again")
        for team in teams:
            self.one.haproxy.revive(team)
        self.one.haproxy.wait_for_servers(*TEAMS)

    def _moved_to_two(self, began: float, client: Client) -> None:
        moved = self.monitor.wait_for_owner(VIP, self.two.host, timeout=20)
        client.wait_for_answer()
        nobody = self.monitor.longest_with_none(VIP, since=began)
        self.time_line.say(
            f"moved to vm2 {(moved - began) * 1000:.0f} ms after the kill; nobody had the address for "
            f"{nobody * 1000:.1f} ms; {self._lost(client, began)}"
        )

    def _back_on_one(self, began: float, client: Client) -> None:
        self.monitor.wait_for_owner(VIP, self.one.host, timeout=20)
        client.wait_for_answer()
        self.time_line.say(f"back on vm1, healthy for {RECOVER} s; since the beginning {self._lost(client, began)}")

    @staticmethod
    def _lost(client: Client, since: float) -> str:
        sent = sum(1 for request in client.requests() if request.sent >= since)
        return f"{len(client.lost(since))} of {sent} requests lost"

    def leave_running(self) -> None:
        self.lab.leave_running()
        ctl = build_directory().resolve() / "vrrpd" / "vrrpctl"
        enter = f"ip netns exec {self.one.host.namespace}"
        print(
            f"\nLeft running. Look around, as root (vm2 alike):"
            f"\n  {ctl} --socket {self.one.vrrpd.socket} status"
            f"\n  {ctl} --socket {self.one.vrrpd.socket} explain"
            f"\n  {enter} ip address"
            f"\n  ip netns exec {self.lab['client'].namespace} python3 -c "
            f"\"import urllib.request as r; print(r.urlopen('http://{VIP}/ba').read().decode())\""
            f"\n  kill -9 {self.one.haproxy.main.pid}    # HAProxy on vm1"
            f"\n  less {self.one.vrrpd.main.log_path}"
            f"\nEnd it:"
            f"\n  sudo packaging/demo.sh --end {lab_module.owner()}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="packaging/demo.sh", description="Shows vrrpd at work in network namespaces.")
    parser.add_argument("--keep", action="store_true", help="leave the machines running and say how to look around")
    parser.add_argument("--end", metavar="NAME", help="end what --keep left running")
    options = parser.parse_args()
    lab_module.exit_on_sigterm()
    lab_module.remove_stale_labs()
    if options.end:
        lab_module.remove_labs_of(lambda owner: owner == options.end)
        return 0
    if options.keep:
        # No process's name: what is kept has nobody it could be left behind by.
        os.environ["VRRPD_LAB_OWNER"] = f"kept.{secrets.token_hex(3)}"

    with contextlib.ExitStack() as stack:
        lab = stack.enter_context(Lab("vm1", "vm2", "client"))
        try:
            demo = Demo(lab)
            demo.play()
        except LabFailure as failure:
            print(f"\nThe demo failed: {failure}", file=sys.stderr)
            for name, log in lab.logs():
                print(f"--- {name}\n{log[-3000:]}", file=sys.stderr)
            return 1
        if options.keep:
            demo.leave_running()
            stack.pop_all()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted; everything is removed", file=sys.stderr)
        sys.exit(130)
