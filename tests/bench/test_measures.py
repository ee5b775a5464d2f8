"""What each figure counts, and what it leaves out."""

import pytest

import measures
from report import Result, Row
from ring import Advert, Announcement

MS = measures.MILLISECOND


def adverts(*sent: tuple[float, str, int]) -> list[Advert]:
    return [Advert(int(at * MS), source, 51, priority) for at, source, priority in sent]


def test_the_excess_after_a_kill_counts_from_the_last_advertisement_that_was_heard():
    seen = adverts((0, "a", 128), (100, "a", 128), (450.25, "b", 128), (550, "b", 128))
    assert measures.killed_excess(seen, victim="a", heir="b", interval_ms=100, skew_ms=50) == pytest.approx(0.25)


def test_an_advertisement_of_the_victim_after_the_take_over_does_not_count():
    seen = adverts((100, "a", 128), (450.25, "b", 128), (451, "a", 128))
    assert measures.killed_excess(seen, victim="a", heir="b", interval_ms=100, skew_ms=50) == pytest.approx(0.25)


def test_the_excess_after_a_stop_counts_from_the_priority_0():
    seen = adverts((100, "a", 128), (130, "a", 0), (180.5, "b", 128), (280, "b", 128))
    assert measures.stopped_excess(seen, leaver="a", heir="b", skew_ms=50) == pytest.approx(0.5)


def test_a_stop_without_a_priority_0_is_not_measured():
    with pytest.raises(measures.Incomplete, match="priority 0"):
        measures.stopped_excess(adverts((100, "a", 128), (450, "b", 128)), leaver="a", heir="b", skew_ms=50)


def test_nothing_is_measured_without_an_heir():
    with pytest.raises(measures.Incomplete, match="heir"):
        measures.killed_excess(adverts((100, "a", 128)), victim="a", heir="b", interval_ms=100, skew_ms=50)


def test_an_address_counts_when_it_is_announced_for_the_first_time():
    announced = [Announcement(int(at * MS), address) for at, address in ((11, "x"), (14, "y"), (20, "x"), (5000, "y"))]
    assert measures.last_announced(adverts((10, "a", 128)), announced, {"x", "y"}) == pytest.approx(4)


def test_an_address_that_is_never_announced_is_an_error():
    with pytest.raises(measures.Incomplete, match="1 of 2"):
        measures.last_announced(adverts((10, "a", 128)), [Announcement(11 * MS, "x")], {"x", "y"})


def punctuality(*times_ms: float, until_ms: float = 1000) -> measures.Punctuality:
    times = {1: [int(at * MS) for at in times_ms]}
    return measures.punctuality(times, [1], begin=0, end=int(until_ms * MS), interval_ms=100)


def test_a_router_that_keeps_its_grid_sends_all_and_is_never_late():
    found = punctuality(*range(-50, 1050, 100))
    assert (found.sent_share, found.late_count, found.late_worst_ms) == (1, 0, 0)


def test_lateness_is_what_a_gap_exceeds_the_interval_by():
    found = punctuality(-50, 50, 157, 250, 350, 450, 550, 650, 750, 850, 950)
    assert (found.late_count, found.late_worst_ms) == (1, pytest.approx(7))


def test_the_gap_before_the_window_counts_if_it_ends_in_it():
    assert punctuality(-80, 50, 150, 250, 350, 450, 550, 650, 750, 850, 950).late_worst_ms == pytest.approx(30)


def test_a_router_that_falls_silent_is_late_until_the_window_ends():
    found = punctuality(-50, 50, 150)
    assert (found.sent_share, found.late_worst_ms) == (pytest.approx(0.2), pytest.approx(750))


def test_a_router_that_never_advertises_sends_nothing_and_is_late():
    found = punctuality()
    assert (found.sent_share, found.late_count, found.late_worst_ms) == (0, 1, pytest.approx(900))


def test_a_ratio_is_ours_to_keepaliveds_and_needs_both():
    assert Row("x", "ms", {"keepalived": 4.0, "vrrpd": 1.0}).ratio() == 0.25
    assert Row("x", "ms", {"keepalived": 0.0, "vrrpd": 1.0}).ratio() is None
    assert Row("x", "ms", {"frr": 1.0, "vrrpd": 1.0}).ratio() is None


def test_the_table_shows_what_was_not_measured_as_a_dash():
    result = Result("case", "title", [Row("x", "ms", {"keepalived": 4.0, "vrrpd": 1.0})],
                    load={"loadavg": 0.0, "busy_percent": 0, "steal_percent": 0})  # fmt: skip
    assert result.text().splitlines()[2].split() == ["x", "[ms]", "4.00", "-", "1.00", "0.25"]
