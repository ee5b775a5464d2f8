"""What the users wrote down, on a real HAProxy whose servers are killed and revived: what is decided, and why."""

from __future__ import annotations

import sys
from pathlib import Path

from daemons import TEAMS, Haproxy
from lab import Lab, holds_for
from probe import Probe

AGENT = Path(__file__).with_name("agent.py")


def test_teams_that_die_one_after_another_and_come_back(lab: Lab):
    """The single team, two teams at exactly 50 %, three teams after the grace, recovery, and HAProxy itself."""
    haproxy = Haproxy(lab["one"])
    haproxy.start()
    probe = Probe(haproxy)
    probe.wait_for_reason("NO FAILOVER: 100% is not below 50%; 4 healthy teams")

    haproxy.kill_servers("ba")
    probe.wait_for_reason("NO FAILOVER: 75% is not below 50%; 3 healthy teams")
    assert probe.overall() == "3/4 (75%) devops:1/1 ma:1/1 ba:0/1 tw:1/1"

    haproxy.kill_servers("tw")
    probe.wait_for_reason("NO FAILOVER: 50% is not below 50%; 2 healthy teams")
    holds_for("exactly at the threshold is good", lambda: probe.last()["verdict"] == "healthy", seconds=0.8)

    haproxy.kill_servers("ma")
    why = "25% is below 50% and 1 healthy team is below the quorum of 2"
    assert probe.wait_for_reason(f"WAIT: {why}; grace of 600ms")["verdict"] == "healthy"
    assert probe.wait_for_reason(f"FAILOVER: {why}")["verdict"] == "unhealthy"

    haproxy.revive("ma")
    held = probe.wait_for_reason("HOLD: unhealthy is kept until good for 600ms: 50% is not below 50%")
    assert held["verdict"] == "unhealthy"
    probe.wait_for_verdict("healthy")

    haproxy.kill_haproxy()
    gone = probe.wait_for_verdict("down")
    socket = haproxy.stats_socket
    assert gone["reason"] == f"FAILOVER: HAProxy is gone: connect {socket}: Connection refused"
    for team in ("ba", "tw"):
        haproxy.revive(team)
    haproxy.start_haproxy()
    probe.wait_for_verdict("healthy")
    assert probe.verdicts()[-5:] == ["healthy", "unhealthy", "healthy", "down", "healthy"]


def test_the_rows_of_the_tuning_table(lab: Lab):
    """One HAProxy, eight teams that die in order; each row looks at as many of them as it names."""
    teams = tuple(f"t{number}" for number in range(1, 9))
    haproxy = Haproxy(lab["one"], teams=teams)
    haproxy.start()
    # (teams, threshold, quorum, how many may be dead): the guide's numbers, and what its rule makes of them where it
    # says "up to"; see DESIGN on exactly 50 %.
    rows = [("t[1-4]", "50%", 2, 2), ("t[1-4]", "25%", 1, 3), ("t[1-2]", "50%", 1, 1), ("t[1-8]", "50%", 4, 4)]
    probes = [
        Probe(haproxy, teams=f"jenkins_backend_({expression})", threshold=threshold, quorum=str(quorum), grace="100ms")
        for expression, threshold, quorum, _ in rows
    ]
    for dead in range(1, 6):
        haproxy.kill_servers(f"t{dead}")
        haproxy.wait_for_servers(*teams[dead:])
        for probe, (expression, _, _, bearable) in zip(probes, rows):
            count = int(expression[-2])
            alive = max(count - dead, 0)
            percentage = alive * 100 // count
            if dead <= bearable:
                probe.wait_for_reason(f"NO FAILOVER: {percentage}% is not below")
                assert probe.last()["verdict"] == "healthy"
            else:
                probe.wait_for_reason(f"FAILOVER: {percentage}% is below")
                assert probe.last()["verdict"] == "unhealthy"
            assert probe.last()["servers-up"] == alive


def test_the_other_machines_servers_hide_no_dead_ones_of_this_one(lab: Lab):
    """Cross-VM backends: HAProxy serves every team from the backups, and says UP of every backend."""
    there = Haproxy(lab["two"])
    for team in TEAMS:
        there.revive(team)
    haproxy = Haproxy(lab["one"], (lab["two"],))
    haproxy.start()
    here, anywhere = Probe(haproxy), Probe(haproxy, servers="all")
    named = Probe(haproxy, match=".*-two")
    haproxy.kill_servers(*TEAMS)
    why = "FAILOVER: 0% is below 50% and 0 healthy teams are below the quorum of 2"
    assert here.wait_for_reason(why)["servers"] == 4
    assert anywhere.wait_for_reason("NO FAILOVER: 50% is not below 50%; 4 healthy teams")["servers"] == 8
    assert named.last()["reason"] == "NO FAILOVER: 100% is not below 50%; 4 healthy teams"
    assert anywhere.verdicts()[-1] == named.verdicts()[-1] == "healthy"


def test_flapping_servers_move_the_address_once_and_not_to_and_fro(lab: Lab):
    haproxy = Haproxy(lab["one"])
    haproxy.start()
    patient = Probe(haproxy, grace="1s", recover="3s")
    for _ in range(3):
        haproxy.kill_servers("ma", "ba", "tw")
        haproxy.wait_for_servers("devops")
        for team in ("ma", "ba", "tw"):
            haproxy.revive(team)
        haproxy.wait_for_servers(*TEAMS)
    haproxy.kill_servers("ma", "ba", "tw")
    patient.wait_for_verdict("unhealthy")
    haproxy.revive("ma")
    haproxy.wait_for_servers("devops", "ma")
    haproxy.kill_servers("ma")
    haproxy.wait_for_servers("devops")
    haproxy.revive("ma")
    patient.wait_for_verdict("healthy")
    assert [v for v in patient.verdicts() if v != "unknown"] == ["healthy", "unhealthy", "healthy"]


def test_what_the_operator_takes_out_of_service_does_not_count(lab: Lab):
    haproxy = Haproxy(lab["one"])
    haproxy.start()
    probe = Probe(haproxy)

    def set_state(team: str, state: str) -> None:
        assert haproxy.ask(f"set server jenkins_backend_{team}/{team}-one state {state}").strip() == ""

    set_state("ma", "maint")
    set_state("ba", "drain")
    probe.wait_for_reason("NO FAILOVER: 100% is not below 50%; 2 healthy teams")
    assert probe.overall() == "2/2 (100%) devops:1/1 ma:0/0 ba:0/0 tw:1/1"

    haproxy.kill_servers("tw")  # one of the two that count: 50 %, and a quorum of two is not there
    probe.wait_for_reason("NO FAILOVER: 50% is not below 50%; 1 healthy team")
    haproxy.kill_servers("devops")
    probe.wait_for_reason("FAILOVER: 0% is below 50%")

    set_state("devops", "maint")
    set_state("tw", "maint")
    held = probe.wait_for_reason("HOLD: unhealthy is kept: every server that could count")
    assert held["verdict"] == "unhealthy" and "maintenance" in held["alarm"]
    for team in TEAMS:
        set_state(team, "ready")
    haproxy.revive("devops")
    haproxy.revive("tw")
    probe.wait_for_verdict("healthy")
    assert probe.overall().startswith("4/4 (100%)")


def test_servers_without_a_check_do_not_count_and_agents_do(lab: Lab):
    host = lab["one"]
    words = host.directory / "agent"
    words.write_text("up\n")
    host.start("agent", sys.executable, AGENT, 9000, words)
    agent = "agent-check agent-port 9000 agent-inter 100ms"
    haproxy = Haproxy(host, options={"ba": "", "tw": agent})
    haproxy.start()
    probe = Probe(haproxy)
    probe.wait_for_reason("NO FAILOVER: 100% is not below 50%; 3 healthy teams")
    assert probe.overall() == "3/3 (100%) devops:1/1 ma:1/1 ba:0/0 tw:1/1"

    haproxy.kill_servers("ba")  # nobody can know
    words.write_text("down\n")
    probe.wait_for_reason("NO FAILOVER: 66% is not below 50%; 2 healthy teams")
    words.write_text("up\n")
    probe.wait_for_reason("NO FAILOVER: 100% is not below 50%; 3 healthy teams")
    words.write_text("drain\n")
    probe.wait_for_reason("NO FAILOVER: 100% is not below 50%; 2 healthy teams")
    words.write_text("ready up\n")
    probe.wait_for_reason("NO FAILOVER: 100% is not below 50%; 3 healthy teams")
    words.write_text("maint\n")
    probe.wait_for_reason("NO FAILOVER: 100% is not below 50%; 2 healthy teams")
    words.write_text("ready up\n")
    probe.wait_for_reason("NO FAILOVER: 100% is not below 50%; 3 healthy teams")


def test_without_any_server_to_count_the_verdict_is_held(lab: Lab):
    haproxy = Haproxy(lab["one"], extra=("backend empty",))
    haproxy.start()
    nothing = Probe(haproxy, teams="(empty)")
    wrong = Probe(haproxy, teams="jenkins_(typo_.+)")
    for probe in (nothing, wrong):
        line = probe.wait_for_reason("HOLD: unknown is kept: no server of a team in HAProxy's answer: check `teams`")
        assert line["verdict"] == "unknown"
