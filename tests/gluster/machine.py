"""A machine that runs gluster-sync for one team: its own source, its own records, and a target that it shares with the
others. Where it lives (this host, or a node of a cluster of its own) is a prefix of every command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
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
        options = ["--config", str(self.config_file), "--state", str(self.state)]
        if self.allow_local:
            options.append("--allow-local")
        return [*self.prefix, str(build_directory() / "sync" / "gluster-sync"), *options, *map(str, words)]

    def run(self, *words: object, check: bool = True, timeout: float = 60, wrapper: tuple[str, ...] = ()) -> Answer:
        done = subprocess.run(
            [*wrapper, *self.command(*words)], capture_output=True, text=True, timeout=timeout, errors="replace"
        )
        if check and done.returncode != 0:
            raise Failure(f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return Answer(done.returncode, done.stdout, done.stderr)

    def now(self, **options) -> dict:
        return self.run("now", *MIRROR, "--json", **options).report

    def recover(self, *more: object, **options) -> dict:
        return self.run("recover", *MIRROR, "--json", *more, **options).report

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


def contents(root: Path) -> dict[str, str]:
    """Every file below, by path, except ours."""
    found = {}
    for directory, names, files in os.walk(root):
        if Path(directory) == root and OURS in names:
            names.remove(OURS)
        for file in files:
            path = Path(directory, file)
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
