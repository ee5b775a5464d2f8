"""A GlusterFS cluster on this host: three machines, each of them a set of namespaces with a glusterd of its own, joined
by a bridge that lives in a namespace as well. The volume is a replica of two with an arbiter on the third machine, and
the first two have it mounted. The disks are in memory. Nothing of it is visible on the host, and nothing is left of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from machine import wait_until

NETWORK = "10.231.7"
VOLUME = "gv0"
# How long a client waits for a brick that fell silent. Until then every call on the mount hangs.
PING_TIMEOUT = 3
STATE_DIRECTORIES = ("/var/lib/glusterd", "/var/log/glusterfs", "/run")
# The first process of the namespaces: it adopts and reaps, and takes all with it when it ends.
INIT = "while :; do sleep 1000 & wait $!; done"


def run(*words: object, timeout: float = 60.0, check: bool = True) -> str:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Namespaces:
    """Network, mounts, processes and host name of their own, for as long as this object is open."""

    def __init__(self, name: str) -> None:
        kinds = ("--net", "--mount", "--pid", "--uts", "--ipc")
        # Also if this process is killed, nothing is left.
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", *kinds, "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "bash", "-c",
             f"hostname {name} && ip link set lo up && {INIT}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = int(wait_until(self._init, f"namespaces of {name}"))
        wait_until(lambda: self.run("hostname").strip() == name, f"host name {name}")

    def _init(self) -> str:
        children = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        pid = (children.read_text().split() or [""])[0]
        ours = os.readlink("/proc/self/ns/mnt")
        return pid if pid and os.readlink(f"/proc/{pid}/ns/mnt") != ours else ""

    @property
    def prefix(self) -> tuple[str, ...]:
        return ("nsenter", "-t", str(self.pid), "-m", "-n", "-u", "-i", "-p", "--")

    def run(self, *words: object, **options) -> str:
        return run(*self.prefix, *words, **options)

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()
        wait_until(lambda: not Path(f"/proc/{self.pid}").exists(), "the end of the namespaces")


@dataclass
class Node:
    number: int
    inside: Namespaces
    directory: Path

    @property
    def address(self) -> str:
        return f"{NETWORK}.{self.number}"

    @property
    def mount(self) -> Path:
        return self.directory / "mnt"

    @property
    def view(self) -> str:
        """What to put in front of a path to see from outside what this machine sees there."""
        return f"/proc/{self.inside.pid}/root"

    def start_glusterd(self) -> None:
        self.inside.run("glusterd", "-p", "/run/glusterd.pid")

    def glusterd_answers(self) -> bool:
        return "Number of Peers" in self.gluster("peer", "status", check=False)

    def sees_its_peers(self) -> bool:
        return self.gluster("peer", "status").count("Peer in Cluster (Connected)") == 2

    def stop_glusterd(self) -> None:
        self.inside.run("sh", "-c", "kill -9 $(cat /run/glusterd.pid)")

    def gluster(self, *words: object, **options) -> str:
        return self.inside.run("gluster", "--mode=script", "--wignore", *words, **options)

    def mount_volume(self) -> None:
        self.inside.run("mount", "-t", "glusterfs", f"{self.address}:/{VOLUME}", self.mount)
        self.inside.run("ls", self.mount)

    def unmount(self) -> None:
        self.inside.run("umount", "-l", self.mount, check=False)

    def is_mounted(self) -> bool:
        return "fuse.glusterfs" in self.inside.run("sh", "-c", f"timeout 2 ls {self.mount} > /dev/null && "
                                                   f"grep ' {self.mount} ' /proc/mounts", check=False)

    def client_pids(self) -> list[str]:
        """Of the processes that serve the mount."""
        return self.inside.run("pgrep", "-f", f"glusterfs .*{self.mount}$", check=False).split()

    def signal_clients(self, signal: str) -> None:
        for pid in self.client_pids():
            self.inside.run("kill", f"-{signal}", pid)

    def kill_brick(self) -> None:
        self.inside.run("sh", "-c", f"kill -9 $(cat /run/gluster/vols/{VOLUME}/*.pid)")


class Cluster:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.bridge = Namespaces("bridge")
        self.nodes: list[Node] = []
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        self.bridge.run("ip", "link", "add", "br0", "type", "bridge")
        self.bridge.run("ip", "link", "set", "br0", "up")
        for number in (1, 2, 3):
            self._add_node(number)
        first = self.nodes[0]
        for node in self.nodes:
            node.start_glusterd()
        for node in self.nodes:
            wait_until(node.glusterd_answers, f"glusterd {node.number}")
        for node in self.nodes[1:]:
            first.gluster("peer", "probe", node.address)
        wait_until(lambda: all(node.sees_its_peers() for node in self.nodes), "each to be connected to both others")
        bricks = [f"{node.address}:{node.directory}/disk/{VOLUME}" for node in self.nodes]
        first.gluster("volume", "create", VOLUME, "replica", 2, "arbiter", 1, *bricks, "force")
        first.gluster("volume", "set", VOLUME, "network.ping-timeout", PING_TIMEOUT)
        first.gluster("volume", "set", VOLUME, "cluster.heal-timeout", 5)
        first.gluster("volume", "start", VOLUME)
        for node in self.nodes[:2]:
            node.mount_volume()
        self.wait_healthy()

    def _add_node(self, number: int) -> None:
        inside = Namespaces(f"node{number}")
        node = Node(number, inside, self.directory / f"n{number}")
        self.nodes.append(node)
        (node.directory / "disk").mkdir(parents=True)
        node.mount.mkdir()
        for directory in (*STATE_DIRECTORIES, node.directory / "disk"):
            inside.run("mount", "-t", "tmpfs", "tmpfs", directory)
        inside.run("mkdir", "-p", "/run/gluster", "/run/lock")
        # From outside the bridge's processes: the number of the other namespaces' process means nothing among them.
        run("nsenter", "-t", self.bridge.pid, "-n", "--",
            "ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", inside.pid)
        self.bridge.run("ip", "link", "set", f"v{number}", "master", "br0", "up")
        inside.run("ip", "address", "add", f"{node.address}/24", "dev", "eth0")
        inside.run("ip", "link", "set", "eth0", "up")

    def cut(self, node: Node) -> None:
        """Nothing reaches it any more, and nobody is told."""
        self.bridge.run("ip", "link", "set", f"v{node.number}", "nomaster")

    def join(self, node: Node) -> None:
        self.bridge.run("ip", "link", "set", f"v{node.number}", "master", "br0")

    def start_bricks(self) -> None:
        self.nodes[0].gluster("volume", "start", VOLUME, "force")

    def bricks_connected(self, node: Node) -> int:
        """As its client sees them."""
        graph = f"{node.mount}/.meta/graphs/active"
        text = node.inside.run("sh", "-c", f"timeout 2 grep -h connected {graph}/{VOLUME}-client-*/private", check=False)
        return text.count("connected = 1")

    def wait_healthy(self) -> None:
        """Every client has every brick, and nothing is left to heal."""
        for node in self.nodes[:2]:
            wait_until(lambda: self.bricks_connected(node) == 3, f"three bricks on node {node.number}", every=0.2)
        summary = ("volume", "heal", VOLUME, "info", "summary")
        wait_until(lambda: self.nodes[0].gluster(*summary, check=False).count("Total Number of entries: 0") == 3,
                   "nothing to heal", timeout=60, every=0.5)

    def repair(self) -> None:
        for node in self.nodes:
            self.join(node)
            node.signal_clients("CONT")
            if not node.glusterd_answers():
                node.start_glusterd()
                wait_until(node.glusterd_answers, f"glusterd {node.number}")
        self.start_bricks()
        for node in self.nodes[:2]:
            if not node.is_mounted():
                node.unmount()
                node.mount_volume()
        self.wait_healthy()

    def close(self) -> None:
        everything = [*(node.inside for node in self.nodes), self.bridge]
        for one in everything:
            one.holder.kill()
        for one in everything:
            one.close()
        shutil.rmtree(self.directory, ignore_errors=True)
