"""One case's figures as a small table and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

KINDS = ("keepalived", "frr", "vrrpd")


@dataclass(frozen=True)
class Row:
    """One figure of every daemon; a missing one was not measured."""

    label: str
    unit: str
    values: dict[str, float]
    digits: int = 2

    def ratio(self) -> float | None:
        """Ours to keepalived's."""
        ours, theirs = self.values.get("vrrpd"), self.values.get("keepalived")
        return None if ours is None or not theirs else ours / theirs


@dataclass
class Result:
    """`samples` are the single measurements behind the rows."""

    case: str
    title: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    samples: dict[str, list] = field(default_factory=dict)
    load: dict = field(default_factory=dict)

    def text(self) -> str:
        head = ["", *KINDS, "vrrpd/keepalived"]
        lines = [head]
        for row in self.rows:
            cells = [_number(row.values.get(kind), row.digits) for kind in KINDS]
            lines.append([f"{row.label} [{row.unit}]", *cells, _number(row.ratio(), 2)])
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        table = [
            "  " + "  ".join(cell.rjust(width) if i else cell.ljust(width)
                             for i, (cell, width) in enumerate(zip(line, widths)))
            for line in lines
        ]  # fmt: skip
        load = (
            f"  (load average {self.load['loadavg']:.2f}, {self.load['busy_percent']} % busy,"
            f" {self.load['steal_percent']} % stolen)"
        )
        return "\n".join([f"{self.case}: {self.title}", *table, load, *(f"  {note}" for note in self.notes), ""])

    def json(self) -> dict:
        rows = [{"label": r.label, "unit": r.unit, **r.values, "ratio": r.ratio()} for r in self.rows]
        return {"case": self.case, "title": self.title, "rows": rows, "samples": self.samples,
                "notes": self.notes, "load": self.load}  # fmt: skip


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
