"""What we send, read by tcpdump and tshark."""

from __future__ import annotations

import pytest
from capture import Capture
from daemons import Instance, Vrrpd
from lab import Lab, run, wait_for

VIP = "10.77.0.100"
PEER = "10.77.0.2"
IPV6 = ("fe80::77:100/64", "fd77::100/64")


@pytest.mark.parametrize(
    "instance",
    [
        Instance(version=2, interval=1),
        Instance(version=2, interval=1, password="12345678"),
        Instance(addresses=tuple(f"10.77.0.{n}/32" for n in range(100, 120))),
        Instance(unicast_peers=(PEER,)),
        Instance(addresses=IPV6),
    ],
    ids=["v2", "v2-password", "v3-20-addresses", "unicast", "ipv6"],
)
def test_tcpdump_and_tshark_find_nothing_wrong_with_what_we_send(lab: Lab, instance: Instance):
    announcements = {"repeat": 2} if instance.ipv6 else {"repeat": 2, "form": "both"}
    daemon = Vrrpd(lab["one"], instance, instance_keys={"gratuitous_arp": announcements})
    capture = Capture(lab)
    daemon.start()
    daemon.wait_for_state("master")
    mine = f"eth.src == {daemon.mac()}"
    wait_for("two advertisements", lambda: len(capture.adverts(daemon.mac())) >= 2, every=0.2)
    assert daemon.stop() == 0
    wait_for("priority 0", lambda: capture.adverts(daemon.mac())[-1].priority == 0, every=0.2)
    capture.stop()

    assert capture.complaints(f"{mine} && (vrrp || arp || icmpv6.type == 136)") == []
    good = len(capture.rows(f"{mine} && vrrp.checksum.status == Good", "vrrp.checksum"))
    assert good == len(capture.adverts(daemon.mac())) >= 3
    headers = (
        "eth.dst", "ip.ttl", "ip.dsfield", "ip.dst", "ipv6.hlim", "ipv6.tclass", "ipv6.dst", "ipv6.src"
    )
    for row in capture.rows(f"{mine} && vrrp", *headers):
        if instance.ipv6:
            assert (row["eth.dst"], row["ipv6.dst"]) == ("33:33:00:00:00:12", "ff02::12")
            assert (row["ipv6.hlim"], int(row["ipv6.tclass"], 16)) == ("255", 0xC0)
            assert row["ipv6.src"] == lab["one"].link_local()
        elif instance.unicast_peers:
            assert (row["eth.dst"], row["ip.dst"]) == (lab["two"].mac(), PEER)
            assert (row["ip.ttl"], int(row["ip.dsfield"], 16)) == ("255", 0xC0)
        else:
            assert (row["eth.dst"], row["ip.dst"]) == ("01:00:5e:00:00:12", "224.0.0.18")
            assert (row["ip.ttl"], int(row["ip.dsfield"], 16)) == ("255", 0xC0)


def test_the_checksum_without_pseudo_header_is_right_as_well(lab: Lab):
    daemon = Vrrpd(lab["one"], Instance(), instance_keys={"checksum": "message-only"})
    capture = Capture(lab)
    daemon.start()
    wait_for("an advertisement", lambda: capture.adverts(daemon.mac()), every=0.2)
    capture.stop()
    assert capture.rows("vrrp.checksum.status == Good", "vrrp.checksum") == []
    text = run("tshark", "-n", "-o", "vrrp.v3_checksum_as_in_v2:TRUE", "-r", capture.file, "-Y",
               "vrrp.checksum.status == Bad", "-T", "fields", "-e", "vrrp.checksum")
    assert "0x" not in text


def test_the_announcements_of_an_ipv4_address_reach_everybody_in_both_forms(lab: Lab):
    keys = {"gratuitous_arp": {"repeat": 3, "second_burst_delay": "300ms", "refresh": "60s", "form": "both"}}
    daemon = Vrrpd(lab["one"], Instance(), instance_keys=keys)
    capture = Capture(lab)
    daemon.start()
    fields = ("arp.opcode", "eth.dst", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.proto_ipv4", "frame.time_epoch")

    def announcements() -> list[dict[str, str]]:
        return capture.rows(f"arp && eth.src == {daemon.mac()} && arp.src.proto_ipv4 == {VIP}", *fields)

    wait_for("two bursts of three, each as request and reply", lambda: len(announcements()) >= 12, every=0.2)
    found = announcements()
    assert len(found) == 12
    for row in found:
        assert (row["eth.dst"], row["arp.src.hw_mac"]) == ("ff:ff:ff:ff:ff:ff", daemon.mac())
        assert row["arp.dst.proto_ipv4"] == VIP
    assert [row["arp.opcode"] for row in found].count("1") == 6
    times = [float(row["frame.time_epoch"]) for row in found]
    assert times[5] - times[0] < 0.2 and 0.25 < times[6] - times[0] < 0.6


def test_the_announcement_of_an_ipv6_address_overrides_what_hosts_believe(lab: Lab):
    daemon = Vrrpd(lab["one"], Instance(addresses=IPV6))
    capture = Capture(lab)
    daemon.start()
    fields = ("ipv6.src", "ipv6.dst", "ipv6.hlim", "icmpv6.nd.na.target_address", "icmpv6.nd.na.flag.o",
              "icmpv6.nd.na.flag.s", "icmpv6.opt.linkaddr")
    chosen = f"icmpv6.type == 136 && eth.src == {daemon.mac()}"
    found = wait_for("announcements", lambda: capture.rows(chosen, *fields), every=0.2)
    assert {row["icmpv6.nd.na.target_address"] for row in found} == {"fe80::77:100", "fd77::100"}
    for row in found:
        assert (row["ipv6.dst"], row["ipv6.hlim"]) == ("ff02::1", "255")
        assert (row["icmpv6.nd.na.flag.o"], row["icmpv6.nd.na.flag.s"]) == ("1", "0")
        assert row["icmpv6.opt.linkaddr"] == daemon.mac()
