"""What was on the wire and when, recorded without a process that has to keep up.

The kernel stamps each advertisement and each gratuitous ARP and copies its first bytes into memory it shares with this
process. Nobody is woken by a packet; the packets are looked at whenever there is time, usually after the measurement.
All times are nanoseconds since the epoch, comparable with time.time_ns().
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import socket
import struct
from typing import Iterator, NamedTuple

from lab import NETNS_DIR, LabFailure

# linux/if_packet.h, linux/if_ether.h, asm-generic/socket.h
_SOL_PACKET, _PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION, _TPACKET_V2 = 263, 5, 6, 10, 1
_SO_ATTACH_FILTER, _SO_TIMESTAMPNS, _ETH_P_ALL, _CLONE_NEWNET = 26, 35, 0x0003, 0x40000000
_TP_STATUS_USER = 1

_FRAME_SIZE = 128
_BLOCK_SIZE = 1 << 16
_FRAMES_PER_BLOCK = _BLOCK_SIZE // _FRAME_SIZE
# Ethernet, an IPv4 header without options, and a VRRP header; a gratuitous ARP fits as well.
_SNAPPED_BYTES = 42

# struct tpacket2_hdr: status, length, captured length, offset of the frame, (offset of the packet), s, ns
_HEADER = struct.Struct("=IIIH2xII")
_ETHERTYPE = struct.Struct("!12xH")
_ADVERT = struct.Struct("!26xI4xBBB")  # IPv4 source; version and type, VRID, priority
_ARP = struct.Struct("!28xI6xI")  # sender's and target's IPv4 address

# Classic BPF: load half-word or byte, jump if equal, return.
_LDH, _LDB, _JEQ, _RET = 0x28, 0x30, 0x15, 0x06
_FILTER = (
    (_LDH, 0, 0, 12),
    (_JEQ, 3, 0, 0x0806),
    (_JEQ, 0, 3, 0x0800),
    (_LDB, 0, 0, 23),
    (_JEQ, 0, 1, 112),
    (_RET, 0, 0, _SNAPPED_BYTES),
    (_RET, 0, 0, 0),
)


class Advert(NamedTuple):
    time: int
    source: str
    vrid: int
    priority: int


class Announcement(NamedTuple):
    """A gratuitous ARP, request or reply."""

    time: int
    address: str


class Ring:
    """Records VRRP over IPv4 and gratuitous ARP on `interface` of `namespace` from when it exists, `frames` at most."""

    def __init__(self, namespace: str, interface: str, frames: int = 1 << 14):
        blocks = -(-frames // _FRAMES_PER_BLOCK)
        self._frames = blocks * _FRAMES_PER_BLOCK
        self._next = 0
        self.adverts: list[Advert] = []
        self.announcements: list[Announcement] = []
        with inside(namespace):
            # With protocol 0 nothing is received before everything is set up.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        _attach_filter(self._socket)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        layout = struct.pack("=IIII", _BLOCK_SIZE, blocks, _FRAME_SIZE, self._frames)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, layout)
        self._memory = mmap.mmap(self._socket.fileno(), blocks * _BLOCK_SIZE)
        self._socket.bind((interface, _ETH_P_ALL))

    def read(self) -> Ring:
        """Appends what has come since the last call to `adverts` and `announcements`, in the order of arrival."""
        while self._next < self._frames:
            start = self._next * _FRAME_SIZE
            status, _, _, mac, seconds, nanoseconds = _HEADER.unpack_from(self._memory, start)
            if not status & _TP_STATUS_USER:
                break
            self._note(seconds * 1_000_000_000 + nanoseconds, start + mac)
            self._next += 1
        return self

    def _note(self, at: int, frame: int) -> None:
        (ethertype,) = _ETHERTYPE.unpack_from(self._memory, frame)
        if ethertype == 0x0806:
            sender, target = _ARP.unpack_from(self._memory, frame)
            if sender == target:
                self.announcements.append(Announcement(at, _dotted(sender)))
        else:
            source, _, vrid, priority = _ADVERT.unpack_from(self._memory, frame)
            self.adverts.append(Advert(at, _dotted(source), vrid, priority))

    def close(self) -> None:
        """Reads the rest. Fails if the ring was too small for what came."""
        self.read()
        _, dropped = struct.unpack("=II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        self._memory.close()
        self._socket.close()
        if dropped:
            raise LabFailure(f"{dropped} packets did not fit into the ring of {self._frames}")


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Sockets that are made in here belong to the network namespace `namespace`."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(NETNS_DIR / namespace, os.O_RDONLY)
    try:
        _enter(there)
        yield
    finally:
        _enter(home)
        os.close(there)
        os.close(home)


_libc = ctypes.CDLL(None, use_errno=True)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _attach_filter(packet_socket: socket.socket) -> None:
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in _FILTER))
    # struct sock_fprog: a count and, aligned, a pointer.
    argument = struct.pack("@HP", len(_FILTER), ctypes.addressof(program))
    packet_socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, argument)


def _dotted(address: int) -> str:
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"
