"""`vrrpctl generate` and `haproxy-config`: from what the users have to what the programs accept."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("VRRPD_BUILD") or SOURCE / "build" / "dev")
CLUSTER = Path(__file__).with_name("cluster.yaml")
INVENTORY = Path(__file__).with_name("inventory.yml")
NODES = {"server1": 100, "server2": 90, "server3": 80}
UNITS = ("glusterd.service", "mariadb.service", "redis-server.service", "slurmctld.service")


def ctl(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BUILD / "vrrpd/vrrpctl"), *map(str, words)], capture_output=True, text=True, timeout=30, check=False
    )


def generate(cluster: Path = CLUSTER, *words: object) -> subprocess.CompletedProcess[str]:
    return ctl("generate", "--cluster", cluster, *words)


def test_each_machine_gets_a_file_that_vrrpd_accepts(tmp_path: Path):
    done = generate(CLUSTER, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{tmp_path}/{node}.yaml" for node in NODES]
    for node, priority in NODES.items():
        file = tmp_path / f"{node}.yaml"
        assert file.stat().st_mode & 0o007 == 0, "there is a password in it"
        checked = subprocess.run(
            [BUILD / "vrrpd/vrrpd", "--print-config", file], capture_output=True, text=True, timeout=30, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, "")
        whole = checked.stdout
        assert whole.startswith(f"node: {node}\n")
        for line in ("interface: eth0", "vrid: 51", "version: 2", f"priority: {priority}",
                     "authentication: {type: pass, password: secure_p}"):
            assert f"    {line}\n" in whole
        assert "192.168.1.100/24" in whole
        assert all(unit in whole for unit in UNITS) and whole.count("demote: 20") == 4


def test_a_password_that_is_too_long_is_cut_with_a_warning():
    assert "6:16: warning: auth_pass is longer than 8 bytes" in generate().stderr


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("priority: 90", "priority: 100", "21:7: error: server2 has the same priority as server1: 100"),
        ("priority: 90", "priority: 101", "21:7: error: server2 has priority 101, more than the 100 of the vip_owner, server1"),
        ("priority: 90", "priority: 255", "23:17: error: priority 255 is not in 1-254"),
        ("priority: 90", "prioritty: 90", "21:7: error: the controller has no 'priority'"),
        ("priority: 90\n", "priority: 90\n      vip_owner: true\n", "21:7: error: server1 and server2 are both vip_owner"),
        ("192.168.1.102", "192.168.1.101", "21:7: error: server2 has the same address as server1: 192.168.1.101"),
        ("192.168.1.102", "192.168.1.100", "21:7: error: server2 has the virtual address as its own"),
        ("hostname: server2", "hostname: server1", "21:7: error: server1 has the same name as server1: server1"),
        ("netmask: 24", "netmask: 33", "4:14: error: netmask 33 is not in 1-32"),
        ("keepalived: true", "keepalived: false", "10:5: error: no controller has the service keepalived"),
        ("  vip:", "  vpi:", "2:3: error: network has no 'vip'"),
    ],
)
def test_what_is_wrong_is_said_where_it_is_and_nothing_is_made(tmp_path: Path, old: str, new: str, error: str):
    file = tmp_path / "cluster.yaml"
    file.write_text(CLUSTER.read_text().replace(old, new))
    done = generate(file)
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"{file}:{error}\n" in done.stderr


def test_a_dry_run_shows_the_difference_and_writes_nothing(tmp_path: Path):
    file = tmp_path / "vrrpd.yaml"
    assert generate(CLUSTER, "--node", "server2", "--output", file).returncode == 0
    assert generate(CLUSTER, "--node", "server2", "--output", file, "--dry-run").stdout == f"{file}: no change\n"
    before = file.read_text()
    changed = tmp_path / "cluster.yaml"
    changed.write_text(CLUSTER.read_text().replace("priority: 90", "priority: 95"))
    shown = generate(changed, "--node", "server2", "--output", file, "--dry-run").stdout
    assert [line for line in shown.splitlines() if re.match(r"[-+] .*prio", line)] == ["-    priority: 90", "+    priority: 95"]
    assert file.read_text() == before


def test_several_files_do_not_go_into_one(tmp_path: Path):
    done = generate(CLUSTER, "--output", tmp_path / "one.yaml")
    assert done.returncode == 2 and "give --node" in done.stderr
    assert not (tmp_path / "one.yaml").exists()
    unknown = generate(CLUSTER, "--node", "server9")
    assert unknown.returncode == 1 and "there is server1, server2, server3" in unknown.stderr


def test_what_else_is_in_the_file_is_not_our_business(tmp_path: Path):
    file = tmp_path / "cluster.yaml"
    file.write_text("cluster: {name: x}\n" + CLUSTER.read_text().replace("priority: 90", "priority: 90\n      ssh_user: root"))
    assert generate(file).stdout.replace(str(file), "F") == generate().stdout.replace(str(CLUSTER), "F")


def backends(strategy: str, *words: str) -> str:
    done = ctl("haproxy-config", "--strategy", strategy, "--inventory", INVENTORY,
               "--team", "devops", "ma", "ba", "tw", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


EXPECTED = {
    "active-passive": ["ba-jenkins-vm1 10.0.0.10:8082 check inter 5s fall 3 rise 2",
                       "ba-jenkins-vm2 10.0.0.11:8082 check inter 5s fall 3 rise 2 backup"],
    "active-active": ["ba-jenkins-vm1 10.0.0.10:8082 check inter 5s fall 3 rise 2 weight 100",
                      "ba-jenkins-vm2 10.0.0.11:8082 check inter 5s fall 3 rise 2 weight 100"],
    "local-only": ["ba-vm2 127.0.0.1:8082 check inter 5s fall 3 rise 2"],
}


@pytest.mark.parametrize("strategy", EXPECTED)
def test_haproxy_accepts_the_backends(tmp_path: Path, strategy: str):
    text = backends(strategy, "--node", "vm2")
    assert re.findall(r"^    server (ba-.*)$", text, re.M) == EXPECTED[strategy]
    base = tmp_path / "base.cfg"
    base.write_text(
        "global\n  stats socket /tmp/unused.sock level operator\ndefaults\n  mode http\n  timeout connect 1s\n"
        "  timeout client 1s\n  timeout server 1s\nfrontend web\n  bind 127.0.0.1:8081\n"
        "  default_backend jenkins_backend_devops\n"
    )
    made = tmp_path / "backends.cfg"
    made.write_text(text)
    done = subprocess.run(["haproxy", "-c", "-f", base, "-f", made], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, ""), done.stderr


def test_vrrpd_accepts_the_section_that_comes_with_them(tmp_path: Path):
    section = "".join(line[4:] + "\n" for line in backends("active-passive").splitlines() if line.startswith("#   "))
    file = tmp_path / "vrrpd.yaml"
    file.write_text(
        "instances: [{name: A, vrid: 1, addresses: [10.0.0.1/24], track: [haproxy]}]\n" + section
    )
    done = subprocess.run([BUILD / "vrrpd/vrrpd", "--print-config", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "quorum: 2" in done.stdout and "threshold: 50%" in done.stdout


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--strategy", "passive", "--team", "a"], "the strategy 'passive' is not active-passive, active-active or local-only"),
        (["--strategy", "active-active", "--team", "a", "--host", "vm1"], "is not NAME=ADDRESS"),
        (["--strategy", "active-active", "--team", "a", "--host", "vm1=10.0.0.1"], "needs two hosts"),
        (["--strategy", "active-active", "--team", "a=0", "--host", "a=10.0.0.1"], "port 0 of team a is not in 1-65535"),
        (["--strategy", "local-only", "--team", "a", "a"], "team a is there twice"),
        (["--strategy", "local-only", "--team", "a b"], "team"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], error: str):
    done = ctl("haproxy-config", *words)
    assert done.returncode in (1, 2)
    assert done.stdout == "" and error in done.stderr
