"""Advertisements that nobody should send: built field by field, with every checksum right unless one is to be wrong."""

from __future__ import annotations

import ipaddress
import logging
import struct
import sys
from pathlib import Path

from daemons import SOURCE_DIR, build_directory
from lab import Host, LabFailure, Process

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # it misses a default route
from scapy.layers.inet import IP, IPOption_NOP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

MAC = "02:00:00:00:00:99"
GROUPS = {4: "224.0.0.18", 6: "ff02::12"}
_GROUP_MACS = {4: "01:00:5e:00:00:12", 6: "33:33:00:00:00:12"}


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def _fold(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def message(
    addresses: tuple[str, ...], source: str, destination: str = "", *, version: int = 3, kind: int = 1, vrid: int = 51,
    priority: int = 254, count: int | None = None, interval: int = 10, auth_type: int = 0, password: bytes = bytes(8),
    pseudo: bool = True, broken: int = 0,
) -> bytes:
    """A VRRP message that wins every election, unless it is dropped. `interval` is in the version's own unit; version 3
    has a checksum with pseudo-header if `pseudo`, which is wrong if `broken` is not 0."""
    family = ipaddress.ip_address(source).version
    destination = destination or GROUPS[family]
    body = b"".join(_packed(address) for address in addresses) + (password if version == 2 else b"")
    head = struct.pack("!BBBB", version << 4 | kind, vrid, priority, len(addresses) if count is None else count)
    head += struct.pack("!BB", auth_type, interval) if version == 2 else struct.pack("!H", interval)
    length = len(head) + 2 + len(body)
    covered = head + body
    if version != 2 and (pseudo or family == 6):
        numbers = struct.pack("!BBH", 0, 112, length) if family == 4 else struct.pack("!II", length, 112)
        covered += _packed(source) + _packed(destination) + numbers
    return head + struct.pack("!H", (~_fold(covered) & 0xFFFF) ^ broken) + body


def frame(content: bytes, source: str, destination: str = "", *, ttl: int = 255, mac: str = "", options: bool = False,
          proto: int = 112) -> str:  # fmt: skip
    """An Ethernet frame with `content` as IP payload, in hexadecimal. `mac` is the receiver's, for unicast."""
    family = ipaddress.ip_address(source).version
    destination = destination or GROUPS[family]
    ether = Ether(src=MAC, dst=mac or _GROUP_MACS[family])
    if family == 6:
        return bytes(ether / IPv6(src=source, dst=destination, hlim=ttl, nh=proto) / content).hex()
    more = [IPOption_NOP()] * 4 if options else []
    return bytes(ether / IP(src=source, dst=destination, ttl=ttl, proto=proto, options=more) / content).hex()


def inject(host: Host, *frames: str) -> None:
    """Sends them once, in order, from `host`."""
    host.run(sys.executable, Path(__file__).with_name("inject.py"), "eth0", stdin="\n".join(frames) + "\n")


def start_flood(host: Host, per_second: int, seconds: float, frames: list[str], *, random_sources: bool = False,
                interface: str = "eth0") -> Process:  # fmt: skip
    """Sends them over and over, in the background; see flood.cpp."""
    file = host.directory / "flood.hex"
    file.write_text("\n".join(frames) + "\n")
    # A release is built without the tests.
    builds = (build_directory(), SOURCE_DIR / "build" / "dev")
    programs = [build / "tests" / "netns" / "flood" for build in builds]
    program = next((str(program) for program in programs if program.exists()), None)
    if program is None:
        raise LabFailure(f"there is no {programs[0]}: build the tests")
    words = [program, interface, str(per_second), str(seconds)] + ["random"] * random_sources
    return host.start("flood", "sh", "-c", f"exec {' '.join(words)} < {file}")
