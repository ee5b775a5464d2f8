"""A machine that runs gluster-sync for one team: its own source, its own records, and a target that it shares with the
others. Where it lives (this host, or a node of a cluster of its own) is a prefix of every command."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TEAM, ENV = "devops", "blue"
MIRROR = (TEAM, ENV)
OURS = ".gluster-sync"
# Every system call by which gluster-sync changes a directory. Killed at the entry of each of them, one after the other,
# it has been killed between any two of its steps.
CHANGES = ("mkdir", "rename", "unlink", "rmdir", "fsync")


class Failure(AssertionError):
    pass


class Later:
    """A text that is wanted only if something fails."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text()


def wait_until(condition: Callable[[], object], what: str | Later, timeout: float = 60.0, every: float = 0.05) -> object:
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failure(f"not within {timeout} s: {what}")
        time.sleep(every)
    return value


def build_directory() -> Path:
    return Path(os.environ.get("VRRPD_BUILD", "build/dev")).resolve()


@dataclass(frozen=True)
class Answer:
    code: int
    output: str
    errors: str

    @property
    def report(self) -> dict:
        return json.loads(self.output.splitlines()[-1])


@dataclass
class Machine:
    name: str
    directory: Path
    target: Path  # of all environments: its last part is the environment
    allow_local: bool = True
    prefix: tuple[str, ...] = ()
    view: str = ""  # in front of a path: what the machine itself has there
    team_keys: dict = field(default_factory=dict)
    sections: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source = self.directory / ENV
        self.source.mkdir(parents=True)
        self.state = self.directory / "state"
        # A Unix socket's path is short, that of a test's directory is not.
        self.socket = Path(tempfile.mkdtemp(prefix="gs")) / "socket"
        self.config_file = self.directory / "gluster-sync.yaml"
        self.write_config()

    def config(self) -> dict:
        team = {
            "name": TEAM,
            "environments": ["blue", "green"],
            "source": f"{self.directory}/{{env}}",
            "target": f"{self.target}/{{env}}",
            "writer": "manual",
            "exclude": ["workspace/", "*.log"],
            **self.team_keys,
        }
        return {"teams": [team], **self.sections}

    def write_config(self) -> None:
        self.config_file.write_text(json.dumps(self.config(), indent=2))

    def command(self, *words: object) -> list[str]:
        options = ["--config", self.config_file, "--state", self.state, "--socket", self.socket]
        if self.allow_local:
            options.append("--allow-local")
        return [str(word) for word in (build_directory() / "sync" / "gluster-sync", *options, *words)]

    def run(self, *words: object, check: bool = True, timeout: float = 60, wrapper: tuple[str, ...] = ()) -> Answer:
        done = subprocess.run([*self.prefix, *wrapper, *self.command(*words)], capture_output=True, text=True,
                              timeout=timeout, errors="replace")
        if check and done.returncode != 0:
            raise Failure(f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return Answer(done.returncode, done.stdout, done.stderr)

    def now(self, **options) -> dict:
        return self.run("now", *MIRROR, "--json", **options).report

    def recover(self, *more: object, **options) -> dict:
        return self.run("recover", *MIRROR, "--json", *more, **options).report

    def switch(self, env: str, *more: object, **options) -> Answer:
        return self.run("switch", TEAM, env, *more, **options)

    @contextlib.contextmanager
    def daemon(self) -> Iterator[Daemon]:
        """It runs, and its socket answers, until the end of the block."""
        daemon = Daemon(self)
        try:
            daemon.start()
            yield daemon
        finally:
            daemon.end()

    def run_until(self, call: str, number: int, *words: object) -> bool:
        """Kills it as it enters the `number`th system call of that name. False: it ended before that, and well."""
        strace = ("strace", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
        answer = self.run(*words, check=False, wrapper=strace)
        if answer.code not in (0, 137, -9):
            raise Failure(f"{words} under strace: exit code {answer.code}\n{answer.output}{answer.errors}")
        return answer.code != 0

    def tree(self) -> Path:
        return Path(f"{self.view}{self.target}/{ENV}")

    def write(self, path: str, text: str) -> None:
        file = self.source / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def contents(self) -> dict[str, str]:
        return contents(self.source)

    def close(self) -> None:
        shutil.rmtree(self.socket.parent, ignore_errors=True)


class Daemon:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.log_file = machine.directory / "daemon.log"
        self.process: subprocess.Popen | None = None
        self.pid = 0

    def start(self) -> None:
        with open(self.log_file, "ab") as log:
            # A session of its own: what it starts is ended with it, whatever becomes of it.
            self.process = subprocess.Popen([*self.machine.prefix, *self.machine.command("run")], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until(self._answers, f"an answer of the daemon\n{self.log()}", timeout=20)
        self.pid = self._find()

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise Failure(f"the daemon ended with {self.process.returncode}:\n{self.log()}")
        return self.machine.run("status", check=False).code in (0, 1)

    def _find(self) -> int:
        """Its process, as this host numbers it: that of whoever entered its namespaces is another one."""
        pid = self.process.pid
        while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "gluster-sync":
                break
            pid = int(children[0])
        return pid

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """With all that it has started, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        if self.pid:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def status(self) -> dict:
        answer = self.machine.run("status", "--json", check=False, timeout=10)
        if answer.code not in (0, 1):
            raise Failure(f"status: {answer.errors}\n{self.log()}")
        return json.loads(answer.output)

    def mirror(self, env: str = ENV) -> dict:
        return next(mirror for mirror in self.status()["mirrors"] if mirror["env"] == env)

    def volume(self) -> dict:
        return self.status()["volumes"][0]

    def wait_for(self, text: str, timeout: float = 60, after: int = 0) -> None:
        """For the text in its log, from a length of the log on."""
        try:
            wait_until(lambda: text in self.log()[after:], f"{text!r} in the log", timeout)
        except Failure as failure:
            raise Failure(f"{failure}:\n{self.log()}") from None

    def wait_at_rest(self, generation: int | None = None, timeout: float = 60) -> dict:
        """Until everything is committed."""
        def at_rest() -> dict | None:
            mirror = self.mirror()
            rests = not mirror["running"] and mirror["pending"] == 0 and mirror["applied-generation"] > 0
            return mirror if rests and generation in (None, mirror["applied-generation"]) else None

        try:
            return wait_until(at_rest, f"generation {generation} and nothing pending", timeout)
        except Failure as failure:
            raise Failure(f"{failure}: {self.mirror()}\n{self.log()}") from None


def contents(root: Path) -> dict[str, str]:
    """Every file below, by path, except ours. While a generation is committed, a file that it replaces is away for a
    moment: moved aside, and the new one not in yet."""
    found = {}
    for directory, names, files in os.walk(root):
        if Path(directory) == root and OURS in names:
            names.remove(OURS)
        for file in files:
            path = Path(directory, file)
            with contextlib.suppress(FileNotFoundError):
                found[str(path.relative_to(root))] = path.read_text() if not path.is_symlink() else f"-> {os.readlink(path)}"
    return found


def differences(source: Path, target: Path, *exclude: str, prefix: tuple[str, ...] = ()) -> list[str]:
    """What rsync would have to do to make them equal in content, owner, mode, times, links and extended attributes."""
    words = ["rsync", "-rlptgoHAXnic", "--omit-dir-times", "--delete", f"--exclude=/{OURS}"]
    words += [f"--exclude={pattern}" for pattern in exclude]
    done = subprocess.run([*prefix, *words, f"{source}/", f"{target}/"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"rsync: exit code {done.returncode}\n{done.stderr}")
    return done.stdout.splitlines()


def copy_of(directory: Path, to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    subprocess.run(["cp", "-a", str(directory), str(to)], check=True)
