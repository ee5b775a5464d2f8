"""What the figures are, computed from packets alone. Times are nanoseconds, results milliseconds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Iterable, Sequence

from ring import Advert, Announcement

MILLISECOND = 1_000_000


class Incomplete(Exception):
    """The packets do not show what was to be measured."""


def _first(times: Iterable[int], what: str) -> int:
    found = min(times, default=None)
    if found is None:
        raise Incomplete(f"no {what}")
    return found


def killed_excess(adverts: Sequence[Advert], victim: str, heir: str, interval_ms: float, skew_ms: float) -> float:
    """How much later than `heir` had to, three intervals and its skew time after the last advertisement it heard of
    `victim`, it advertised first."""
    taken = _first((a.time for a in adverts if a.source == heir), "advertisement of the heir")
    heard = [a.time for a in adverts if a.source == victim and a.time < taken]
    if not heard:
        raise Incomplete("no advertisement of the victim")
    return (taken - max(heard)) / MILLISECOND - (3 * interval_ms + skew_ms)


def stopped_excess(adverts: Sequence[Advert], leaver: str, heir: str, skew_ms: float) -> float:
    """How much later than its skew time after the priority 0 of `leaver` the `heir` advertised first."""
    released = _first((a.time for a in adverts if a.source == leaver and a.priority == 0), "priority 0")
    taken = _first((a.time for a in adverts if a.source == heir and a.time > released), "advertisement of the heir")
    return (taken - released) / MILLISECOND - skew_ms


def last_announced(adverts: Sequence[Advert], announcements: Sequence[Announcement], addresses: set[str]) -> float:
    """From the first advertisement to the first announcement of the address that was announced last."""
    began = _first((a.time for a in adverts), "advertisement")
    first: dict[str, int] = {}
    for announcement in announcements:
        first.setdefault(announcement.address, announcement.time)
    missing = addresses - first.keys()
    if missing:
        raise Incomplete(f"{len(missing)} of {len(addresses)} addresses were not announced")
    return (max(first[address] for address in addresses) - began) / MILLISECOND


@dataclass(frozen=True)
class Punctuality:
    """Of many virtual routers during one window of time."""

    sent_share: float  # of the advertisements that had to be sent
    late_count: int  # more than 5 ms
    late_median_ms: float
    late_worst_ms: float


def punctuality(times: dict[object, list[int]], expected: Iterable[object], begin: int, end: int,
                interval_ms: float) -> Punctuality:  # fmt: skip
    """`times` of each router's advertisements in order; an advertisement is as late as its distance from the one
    before exceeds the interval. A router that has not advertised again when the window ends is late by then."""
    sent, late = 0, []
    routers = list(expected)
    for router in routers:
        mine = times.get(router, [])
        within = [at for at in mine if begin <= at < end]
        sent += len(within)
        before = [at for at in mine if at < begin]
        marks = [before[-1] if before else begin, *within]
        gaps = [b - a for a, b in zip(marks, marks[1:])] + [end - marks[-1]]
        # The last gap is cut off by the window: it says something only if it is too long already.
        late += [gap / MILLISECOND - interval_ms for gap in gaps[:-1]]
        late += [tail for tail in [gaps[-1] / MILLISECOND - interval_ms] if tail > 0]
    due = len(routers) * (end - begin) / MILLISECOND / interval_ms
    return Punctuality(
        sent_share=sent / due,
        late_count=sum(lateness > 5 for lateness in late),
        late_median_ms=median(abs(lateness) for lateness in late),
        late_worst_ms=max(late),
    )


def by_router(adverts: Iterable[Advert]) -> dict[int, list[int]]:
    """The times of each VRID's advertisements."""
    times: dict[int, list[int]] = defaultdict(list)
    for advert in adverts:
        times[advert.vrid].append(advert.time)
    return times
