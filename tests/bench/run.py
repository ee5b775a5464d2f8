#!/usr/bin/python3
"""Measures keepalived, FRR and vrrpd beside each other on this machine. Needs root; README.md says what the figures
mean. Nothing here passes or fails on a time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "netns"))
sys.dont_write_bytecode = True

import addresses  # noqa: E402
import fleet  # noqa: E402
import hostile  # noqa: E402
import lab  # noqa: E402
import load  # noqa: E402
import machine  # noqa: E402
import measures  # noqa: E402
import takeover  # noqa: E402
from report import KINDS  # noqa: E402

# name: (function, daemons it is measured with, rounds)
CASES = {
    "killed": (takeover.killed, KINDS, 10),
    "stopped": (takeover.stopped, KINDS, 10),
    "addresses": (addresses.addresses, KINDS, 4),
    "cpu": (load.cpu, KINDS, 1),
    "cpu-spread": (load.cpu_spread, KINDS, 1),
    "scale": (load.scale, ("keepalived", "vrrpd"), 1),
    "crowd": (hostile.crowd, ("keepalived", "vrrpd"), 2),
    "flood": (hostile.flood, ("keepalived", "vrrpd"), 2),
    "memory": (load.memory, ("keepalived", "vrrpd"), 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="*", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--rounds", type=int, help="of each case, instead of its own number")
    parser.add_argument("--json", metavar="FILE", help="also write everything that was measured there")
    parser.add_argument("--only", metavar="DAEMON", action="append", choices=KINDS, help="measure only this one")
    parser.add_argument("--realtime", action="store_true", help="all daemons at real-time priority: for a busy machine")
    arguments = parser.parse_args()
    if unknown := set(arguments.case) - CASES.keys():
        parser.error(f"no such case: {', '.join(unknown)}")
    lab.require_root()
    lab.exit_on_sigterm()
    lab.remove_stale_labs()
    release = ROOT / "build" / "release"
    if (release / "vrrpd" / "vrrpd").exists():
        os.environ.setdefault("VRRPD_BUILD", str(release))
    missing = {kind: reason for kind in arguments.only or KINDS if (reason := fleet.why_missing(kind))}
    for kind, reason in missing.items():
        print(f"without {kind}: {reason}")
    kinds = [kind for kind in arguments.only or KINDS if kind not in missing]
    if arguments.realtime:
        fleet.use_realtime_priority(10)
    try:
        sys.exit(0 if measure(arguments, kinds) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


def measure(arguments: argparse.Namespace, kinds: list[str]) -> bool:
    """Prints each case as soon as it is done. Returns whether all could be measured."""
    report = {"machine": machine.describe(), "build": fleet.build_name(), "realtime": arguments.realtime,
              "cases": []}  # fmt: skip
    print(", ".join(f"{key}: {value}" for key, value in report["machine"].items()), end="\n\n")
    complete = True
    for name in arguments.case or CASES:
        function, with_kinds, rounds = CASES[name]
        chosen = [kind for kind in kinds if kind in with_kinds]
        if not chosen:
            continue
        during = machine.Load()
        try:
            result = function(chosen, arguments.rounds or rounds)
        except (lab.LabFailure, measures.Incomplete) as failure:
            print(f"{name}: not measured: {failure}\n", flush=True)
            complete = False
            continue
        result.load = during.so_far()
        print(result.text(), flush=True)
        report["cases"].append(result.json())
        if arguments.json:
            Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n")
    return complete


if __name__ == "__main__":
    main()
