"""The lab itself, with daemons that are not ours: if these fail, the other tests here say nothing."""

import time

import lab as lab_module
from capture import Capture
from daemons import Frr, Haproxy, Instance, Keepalived
from lab import Lab
from observe import AddressMonitor, Client


def test_a_keepalived_pair_has_one_owner_before_and_after_a_clean_stop(lab: Lab, monitor: AddressMonitor):
    high = Keepalived(lab["one"], Instance(priority=200))
    low = Keepalived(lab["two"], Instance(priority=100))
    capture = Capture(lab)
    high.start()
    low.start()
    monitor.wait_for_owner("10.77.0.100", lab["one"])

    stopped = time.time()
    assert high.stop() == 0
    since = monitor.wait_for_owner("10.77.0.100", lab["two"])

    # It waits for its skew time after priority 0, not for the three intervals of silence.
    assert low.instance.skew_time <= since - stopped < low.instance.master_down_interval
    assert monitor.longest_with_two_owners("10.77.0.100") == 0
    assert 0 < monitor.longest_with_none("10.77.0.100") < since - stopped
    priorities = [advert.priority for advert in capture.stop().adverts(lab["one"].mac())]
    assert set(priorities) == {0, 200} and priorities[-1] == 0
    assert capture.complaints("vrrp || arp") == []


def test_two_owners_are_seen_when_the_machines_cannot_hear_each_other(lab: Lab, monitor: AddressMonitor):
    lab.drop(lab["one"], lab["two"])
    lab.drop(lab["two"], lab["one"])
    for host in (lab["one"], lab["two"]):
        Keepalived(host, Instance(priority=100)).start()
    lab_module.wait_for("two owners", lambda: monitor.longest_with_two_owners("10.77.0.100") > 0.2)

    lab.deliver_all()
    monitor.wait_for_owner("10.77.0.100", lab["two"])  # the higher address


def test_a_cut_machine_is_replaced_and_a_mended_one_comes_back(lab: Lab, monitor: AddressMonitor):
    high = Keepalived(lab["one"], Instance(priority=200))
    low = Keepalived(lab["two"], Instance(priority=100))
    high.start()
    low.start()
    monitor.wait_for_owner("10.77.0.100", lab["one"])
    lab["one"].cut()
    low.wait_for_state("master")
    high.wait_for_state("fault")
    lab["one"].mend()
    monitor.wait_for_owner("10.77.0.100", lab["one"])


def test_keepalived_and_frr_agree_over_ipv6(lab: Lab, monitor: AddressMonitor):
    instance = {"addresses": ("fe80::77:100/64", "fd77::100/64")}
    high = Frr(lab["one"], Instance(priority=200, **instance))
    low = Keepalived(lab["two"], Instance(priority=100, **instance))
    low.start()
    low.wait_for_state("master")
    high.start()
    high.wait_for_state("master")
    low.wait_for_state("backup")
    high.kill()
    low.wait_for_state("master")


def test_a_client_loses_requests_only_while_nobody_answers(lab: Lab):
    proxies = [Haproxy(lab["one"], (lab["two"],)), Haproxy(lab["two"], (lab["one"],))]
    for proxy in proxies:
        proxy.start()
    lab["one"].ip("address add 10.77.0.100/24 dev eth0")
    client = Client(lab["client"], "10.77.0.100", path="/ba")
    client.wait_for_answer()
    assert client.requests()[-1].answer == "ba on one"

    proxies[0].kill_servers("ba")
    proxies[0].wait_for_servers("devops", "ma", "tw")
    client.wait_for_answer()
    assert client.requests()[-1].answer == "ba on two"

    killed = time.time()
    proxies[0].kill_haproxy()
    lab_module.wait_for("lost requests", lambda: client.lost(since=killed))
    proxies[0].start_haproxy()
    client.wait_for_answer()
    requests = client.stop()
    assert [r for r in requests if not r.answer and r.sent < killed - 1] == []


def test_a_stale_lab_is_removed_and_a_living_one_is_not(lab: Lab):
    stale = f"{lab_module.PREFIX}-1.1-abcdef-one"  # process 1 did not start in the first tick
    lab_module.run("ip", "netns", "add", stale)
    lab_module.remove_stale_labs()
    assert not (lab_module.NETNS_DIR / stale).exists()
    assert (lab_module.NETNS_DIR / lab["one"].namespace).exists()
