"""Two of ours on machines one and two, of which one has the higher priority."""

from __future__ import annotations

from dataclasses import replace

from daemons import Instance, Vrrpd
from lab import Lab
from observe import AddressMonitor

VIP = "10.77.0.100"


class Pair:
    def __init__(self, lab: Lab, monitor: AddressMonitor):
        self.lab = lab
        self.monitor = monitor
        self.one = Vrrpd(lab["one"], Instance(priority=110))
        self.two = Vrrpd(lab["two"], Instance(priority=100))

    def change(self, **settings) -> Pair:
        """Other settings for both than Instance's defaults."""
        for daemon in (self.one, self.two):
            daemon.instance = replace(daemon.instance, **settings)
        return self

    def start(self) -> Pair:
        self.one.start()
        self.one.wait_for_state("master")
        self.two.start()
        self.monitor.wait_for_owner(self.address, self.lab["one"])
        return self

    @property
    def address(self) -> str:
        return self.one.instance.virtual_address
