"""A systemd of a host's own: the first process of namespaces in which nothing is known but our units."""

from __future__ import annotations

from pathlib import Path

from lab import Host, Process, control_groups, remove_control_group, run, wait_for

INSIDE = """
set -e
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir /run/dbus
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=lab SYSTEMD_UNIT_PATH={units} SYSTEMD_GENERATOR_PATH={none} \\
  SYSTEMD_ENVIRONMENT_GENERATOR_PATH={none} \\
  /lib/systemd/systemd --system --log-target=console --show-status=no
"""


class Systemd:
    """Units are files in `units`; `default.target` is what is started first."""

    def __init__(self, host: Host):
        self.host = host
        self.units = host.directory / "units"
        self.units.mkdir()
        (self.units / "default.target").write_text("[Unit]\nDescription=Nothing\n")
        self._group = control_groups() / f"{host.lab.name}-systemd"

    def start(self) -> None:
        none = self.host.directory / "none"
        none.mkdir()
        script = self.host.directory / "systemd.sh"
        script.write_text(INSIDE.format(units=self.units, none=none))
        self._group.mkdir()
        # Not in the host's network namespace, whose commands see no control groups.
        unshare = "unshare --kill-child --fork --pid --mount --mount-proc --uts --ipc --net --cgroup"
        command = f"echo $$ > {self._group}/cgroup.procs && exec {unshare} sh {script}"
        self.process = Process("systemd", ["sh", "-c", command], self.host.directory / "systemd.log")
        self.host.lab.processes.append(self.process)
        wait_for(lambda: f"systemd to answer\n{self.process.log}", lambda: "running" in self.systemctl("is-system-running", check=False))

    @property
    def prefix(self) -> list[str]:
        """What makes a command see this systemd."""
        init = int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])
        return ["nsenter", "--mount", "--pid", f"--target={init}"]  # systemd hears nobody whose process it cannot see

    def systemctl(self, *words: str, check: bool = True) -> str:
        if not Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text():
            return ""
        return run(*self.prefix, "systemctl", *words, check=check)

    def unit(self, name: str, text: str) -> None:
        (self.units / name).write_text(text)

    def start_bus(self) -> None:
        """The system bus, which those who are not root need."""
        for unit in ("dbus.socket", "dbus.service"):
            text = Path(f"/lib/systemd/system/{unit}").read_text()
            self.unit(unit, text.replace("[Unit]", "[Unit]\nDefaultDependencies=no"))
        self.systemctl("daemon-reload")
        self.systemctl("start", "dbus.service")

    def stop(self) -> None:
        self.process.kill()
        remove_control_group(self._group)
