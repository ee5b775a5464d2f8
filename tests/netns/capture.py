"""What was on the wire of a Lab: recorded by tcpdump, advertisements read by scapy, judged by tshark and tcpdump. Times
are seconds since the epoch.
"""

from __future__ import annotations

import logging
import re
import signal
import subprocess
from dataclasses import dataclass

from lab import Host, Lab, LabFailure

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # it misses a default route
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6ND_NA, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vrrp import VRRP, VRRPv3
from scapy.utils import PcapReader


@dataclass(frozen=True)
class Advert:
    """A VRRP advertisement."""

    time: float
    mac: str  # the sender's
    source: str
    destination: str
    version: int
    vrid: int
    priority: int
    interval: float  # seconds
    addresses: tuple[str, ...]
    password: str


def _advert(packet) -> Advert | None:
    """None for anything but an advertisement; nor is one quoted in a "protocol unreachable" answer."""
    ip = packet.payload
    if not isinstance(packet, Ether) or not isinstance(ip, (IP, IPv6)):
        return None
    message = ip.payload
    if isinstance(message, VRRP):
        password = (message.auth1 << 32 | message.auth2).to_bytes(8, "big").rstrip(b"\0").decode(errors="replace")
        interval = float(message.adv)
    elif isinstance(message, VRRPv3):
        password, interval = "", message.adv / 100
    else:
        return None
    return Advert(
        time=float(packet.time), mac=packet.src, source=ip.src, destination=ip.dst, version=message.version,
        vrid=message.vrid, priority=message.priority, interval=interval, addresses=tuple(message.addrlist),
        password=password,
    )


@dataclass(frozen=True)
class Announcement:
    """A gratuitous ARP or an unsolicited neighbour advertisement."""

    time: float
    mac: str  # the sender's
    address: str


def _announcement(packet) -> Announcement | None:
    arp, neighbour = packet.getlayer(ARP), packet.getlayer(ICMPv6ND_NA)
    if arp and arp.psrc == arp.pdst:
        return Announcement(float(packet.time), packet.src, arp.psrc)
    if neighbour and not neighbour.S:
        return Announcement(float(packet.time), packet.src, neighbour.tgt)
    return None


# By default tshark does not look at IPv4 checksums, and finds fault with an address that moves.
_TSHARK = ["tshark", "-n", "-o", "ip.check_checksum:TRUE", "-o", "arp.detect_duplicate_ips:FALSE"]


class Capture:
    """tcpdump on the switch's bridge, or on the eth0 of `host`; everything is recorded from when this returns."""

    def __init__(self, lab: Lab, host: Host | None = None, only: str = "", interface: str | None = None):
        where = host.directory if host else lab.directory
        self.file = where / f"capture-{len(lab.processes)}.pcap"
        interface = interface or ("eth0" if host else "br0")
        command = ["tcpdump", "-i", interface, "-U", "--immediate-mode", "-n", "-Z", "root", "-w", self.file, *only.split()]
        self._process = host.start("tcpdump", *command) if host else lab.start_on_switch("tcpdump", *command)
        self._process.wait_for_log("listening on")

    def stop(self) -> Capture:
        if self._process.running():
            self._process.signal(signal.SIGINT)
            self._process.wait()
        return self

    def rows(self, display_filter: str, *fields: str) -> list[dict[str, str]]:
        """The packets that fit, as {field: value}; several values of one field are joined by commas."""
        command = [*_TSHARK, "-r", self.file, "-Y", display_filter, "-T", "fields", "-E", "occurrence=a"]
        for field in fields:
            command += ["-e", field]
        output = self._tool(*command)
        return [dict(zip(fields, line.split("\t"))) for line in output.splitlines()]

    def adverts(self, mac: str = "") -> list[Advert]:
        """Those recorded so far, or only those of one sender."""
        with PcapReader(str(self.file)) as packets:
            found = [advert for packet in packets if (advert := _advert(packet))]
        return [advert for advert in found if not mac or advert.mac == mac]

    def announcements(self, mac: str = "") -> list[Announcement]:
        """As adverts()."""
        with PcapReader(str(self.file)) as packets:
            found = [announcement for packet in packets if (announcement := _announcement(packet))]
        return [announcement for announcement in found if not mac or announcement.mac == mac]

    def complaints(self, display_filter: str) -> list[str]:
        """What tshark and tcpdump find wrong with the packets that fit: malformed fields, wrong checksums, warnings."""
        wrong = "_ws.malformed || _ws.expert.severity >= warning || vrrp.checksum.status == Bad"
        wrong += " || ip.checksum.status == Bad || icmpv6.checksum.status == Bad"
        lines = self._tool(*_TSHARK, "-r", self.file, "-Y", f"({display_filter}) && ({wrong})").splitlines()
        chosen = self.file.with_suffix(".chosen.pcap")
        self._tool(*_TSHARK, "-r", self.file, "-Y", display_filter, "-w", chosen, "-F", "pcap")
        text = self._tool("tcpdump", "-n", "-vv", "-r", chosen)
        signs = re.compile(r"bad|wrong|incorrect|\[\||invalid|unknown", re.IGNORECASE)
        return lines + [line for line in text.splitlines() if signs.search(line)]

    @staticmethod
    def _tool(*argv: object) -> str:
        done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=60)
        # tshark ends with 2 when the last packet is still being written.
        if done.returncode != 0 and "cut short" not in done.stderr:
            raise LabFailure(f"{argv[0]}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout
