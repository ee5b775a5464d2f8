"""keepalived, FRR and vrrpd with any number of virtual routers, each configured from the same description and otherwise
left at its defaults."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import daemons
from lab import Host, LabFailure, wait_for

INTERVAL_MS = 100
# 256 - 128 is the only difference that makes the skew time a whole number of centiseconds, to which FRR cuts it.
PRIORITY = 128
SKEW_MS = 50.0

FRR_VRRPD = Path("/usr/lib/frr/vrrpd")


@dataclass(frozen=True)
class Router:
    """One virtual router: version 3 over IPv4, every 100 ms."""

    vrid: int = 51
    interface: str = "eth0"
    addresses: tuple[str, ...] = ("10.77.0.100/24",)
    priority: int = PRIORITY
    unadvertised: tuple[str, ...] = ()  # virtual addresses that do not fit into the advertisement

    @property
    def name(self) -> str:
        return f"VI_{self.interface}_{self.vrid}"


class Keepalived(daemons.Keepalived):
    """Without the detailed log that the interoperability tests read."""

    def __init__(self, host: Host, *routers: Router):
        self.host, self.routers = host, routers

    def config(self) -> str:
        return "".join(self._instance(router) for router in self.routers)

    @staticmethod
    def _instance(router: Router) -> str:
        excluded = ""
        if router.unadvertised:
            excluded = "  virtual_ipaddress_excluded {\n" + _lines(router.unadvertised) + "  }\n"
        return (
            f"vrrp_instance {router.name} {{\n"
            f"  state BACKUP\n  version 3\n  interface {router.interface}\n  virtual_router_id {router.vrid}\n"
            f"  priority {router.priority}\n  advert_int {INTERVAL_MS / 1000:g}\n"
            f"  virtual_ipaddress {{\n{_lines(router.addresses)}  }}\n{excluded}}}\n"
        )

    def start(self) -> None:
        directory = self.host.directory
        file = directory / "keepalived.conf"
        file.write_text(self.config())
        # It does not start over the pid file of a killed one whose process is a zombie still.
        pids = (directory / "keepalived.pid", directory / "keepalived-vrrp.pid")
        for pid in pids:
            pid.unlink(missing_ok=True)
        self.main = self.host.start(
            "keepalived", "keepalived", "-n", "-l", "-G", "-P", "-f", file, "-p", pids[0], "-r", pids[1],
            env={"TMPDIR": str(directory)},
        )  # fmt: skip
        self.main.wait_for_log("Entering BACKUP STATE (init)", timeout=30)

    def pids(self) -> list[int]:
        return family(self.main.pid)


class Frr(daemons.Frr):
    """Its addresses are on macvlans that are made before it starts."""

    def __init__(self, host: Host, *routers: Router):
        self.host, self.routers = host, routers
        # What the base class asks about its only instance: the address family.
        self.instance = daemons.Instance(vrid=routers[0].vrid)

    def config(self) -> str:
        by_interface: dict[str, list[str]] = defaultdict(list)
        for router in self.routers:
            lines = ["version 3", f"priority {router.priority}", f"advertisement-interval {INTERVAL_MS}"]
            lines += [f"ip {address.partition('/')[0]}" for address in router.addresses]
            by_interface[router.interface] += [f" vrrp {router.vrid} {line}\n" for line in lines]
        return "".join(f"interface {name}\n{''.join(lines)}" for name, lines in by_interface.items())

    def _make_macvlan(self) -> None:
        for number, router in enumerate(self.routers):
            if router.unadvertised:
                raise LabFailure("FRR advertises every address it has")
            device = f"vrrp4-{number}"
            self.host.ip(
                f"link add {device} link {router.interface} address 00:00:5e:00:01:{router.vrid:02x}"
                " type macvlan mode bridge",
                f"link set {device} addrgenmode none up",
                *(f"address add {address} dev {device}" for address in router.addresses),
            )

    def pids(self) -> list[int]:
        return family(self.main.pid) + family(self._zebra.pid)


class Vrrpd(daemons.Vrrpd):
    def __init__(self, host: Host, *routers: Router):
        super().__init__(host, daemons.Instance())
        self.routers = routers

    def config(self) -> dict:
        return {
            "node": self.host.name,
            "instances": [self._instance(router) for router in self.routers],
            "control": {"socket": str(self.socket)},
        }

    @staticmethod
    def _instance(router: Router) -> dict:
        hidden = [{"address": a, "interface": router.interface, "advertise": False} for a in router.unadvertised]
        return {
            "name": router.name,
            "interface": router.interface,
            "vrid": router.vrid,
            "version": 3,
            "priority": router.priority,
            "advertisement_interval": f"{INTERVAL_MS}ms",
            "addresses": [*router.addresses, *hidden],
        }

    def pids(self) -> list[int]:
        return family(self.main.pid)


FLEET = {daemon.kind: daemon for daemon in (Keepalived, Frr, Vrrpd)}


_realtime_priority = 0


def use_realtime_priority(priority: int) -> None:
    """Every daemon that is started from now on gets it (SCHED_RR), as a service manager can give it."""
    global _realtime_priority
    _realtime_priority = priority


def start(daemon: daemons.Daemon) -> None:
    daemon.start()
    if _realtime_priority:
        for task in (task for pid in daemon.pids() for task in Path(f"/proc/{pid}/task").iterdir()):
            os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(_realtime_priority))


def build_name() -> str:
    return daemons.build_directory().name


def why_missing(kind: str) -> str:
    """"" if the daemon can be measured here."""
    binary = {
        "keepalived": Path("/usr/sbin/keepalived"),
        "frr": FRR_VRRPD,
        "vrrpd": daemons.build_directory() / "vrrpd" / "vrrpd",
    }[kind]
    return "" if os.access(binary, os.X_OK) else f"there is no {binary}"


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        children[parent].append(int(stat.parent.name))
    found = [pid]
    for member in found:
        found += children[member]
    return found


def wait_for_end(pids: list[int]) -> None:
    """Until none of them is left, so that the next measurement has the machine to itself."""
    wait_for("the daemon's processes to end", lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def _lines(addresses: tuple[str, ...]) -> str:
    return "".join(f"    {address}\n" for address in addresses)
