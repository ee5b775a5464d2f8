"""Mails about changes of state: ours sends the same ones as keepalived on the same file, and nothing about a server that
is slow, absent or strange reaches the election."""

from __future__ import annotations

import email.utils
import json
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from daemons import Instance, Vrrpd
from lab import Host, Lab, Process, holds_for, wait_for
from sides import Side, side_by_side
from test_keepalived_keywords import same, start, text_with

PORT = 2525
SERVER = Path(__file__).with_name("mail_server.py")

GLOBAL = f"""
    router_id lb-1
    notification_email {{
        ops@example.com
        boss@example.com
    }}
    notification_email_from keepalived@lb-1.example.com
    smtp_server 127.0.0.1 {PORT}
    smtp_helo_name lb-1.example.com
    smtp_connect_timeout 5
"""

# An instance that only mails, one that does not, and a group.
OTHERS = """
vrrp_instance VI_2 {
    interface eth0
    virtual_router_id 52
    smtp_alert off
    virtual_ipaddress {
        10.77.0.101/24
    }
}
vrrp_sync_group G {
    group {
        VI_1
        VI_2
    }
}
"""


def serve(host: Host) -> Process:
    process = host.start("mail", "/usr/bin/python3", SERVER, PORT, host.directory / "mails")
    wait_for("the mail server", lambda: f":{PORT} " in host.run("ss", "-ltn"))
    return process


def mails(host: Host) -> list[dict]:
    file = host.directory / "mails"
    lines = file.read_text().split("\n") if file.exists() else []
    return [json.loads(line) for line in lines[:-1]]


def seen(side: Side) -> Counter[str]:
    """Everything about the mails that readers and filters look at, in any order: keepalived sends them side by side."""

    def text(mail: dict) -> str:
        headers = {name: mail["headers"][name] for name in ("From", "To", "Subject")}
        return json.dumps([mail["helo"], mail["from"], mail["to"], headers, mail["body"]])

    return Counter(text(mail) for mail in mails(side.host))


def subjects(side: Side) -> list[str]:
    return sorted(mail["headers"]["Subject"] for mail in mails(side.host))


def expected(*changes: str) -> list[str]:
    return sorted(f"[lb-1] VRRP {what} - Entering {state} state" for what, state in (c.split("/") for c in changes))


@pytest.mark.parametrize("keyword", ["smtp_alert", "smtp_alert_vrrp"])
def test_both_send_the_same_mails_about_the_same_changes(tmp_path: Path, keyword: str):
    flag = tmp_path / "healthy"
    flag.touch()
    blocks = f'vrrp_script chk {{\n script "/usr/bin/test -e {flag}"\n interval 1\n}}' + OTHERS
    text = text_with("track_script {\n chk\n}", blocks, shared=GLOBAL + keyword)
    with side_by_side(text) as (theirs, ours):
        for side in (theirs, ours):
            serve(side.host)
        start(theirs, ours)
        told = ["Instance VI_1/BACKUP", "Group G/BACKUP", "Instance VI_1/MASTER", "Group G/MASTER"]
        same("at first", subjects, theirs, ours, expected(*told))
        flag.unlink()
        told += ["Instance VI_1/FAULT", "Group G/FAULT"]
        same("without the flag", subjects, theirs, ours, expected(*told))
        flag.touch()
        told += told[:4]
        same("with it", subjects, theirs, ours, expected(*told))
        for side in (theirs, ours):
            side.runner.main.signal(signal.SIGHUP)
            side.runner.main.wait_for_log("Reload complete")
        for side in (theirs, ours):
            assert side.runner.stop() == 0
        assert seen(ours) == seen(theirs)
        assert subjects(ours) == expected(*told)  # neither the reload nor the end is told
        for mail in mails(ours.host):
            sent = email.utils.parsedate_to_datetime(mail["headers"]["Date"])
            assert abs(sent.timestamp() - time.time()) < 60
        assert "SMTP alert successfully sent." in ours.runner.main.log


def test_faults_can_be_left_out_and_no_state_is_told_twice():
    with side_by_side(text_with("smtp_alert", shared=GLOBAL + "no_email_faults")) as (theirs, ours):
        for side in (theirs, ours):
            serve(side.host)
        for side in (theirs, ours):
            side.runner.start()
            side.runner.wait_for_state("backup")
            side.host.cut()
            side.runner.wait_for_state("fault")
            side.host.mend()
        for side in (theirs, ours):
            side.runner.wait_for_state("master")
            side.host.cut()
            side.runner.wait_for_state("fault")
            side.host.mend()
        # Backup before and after the first fault is told once.
        told = ["Instance VI_1/BACKUP", "Instance VI_1/MASTER", "Instance VI_1/BACKUP", "Instance VI_1/MASTER"]
        same("all mails", subjects, theirs, ours, expected(*told))
        assert seen(ours) == seen(theirs)


def test_nobody_gets_a_mail_without_recipients_or_without_smtp_alert():
    for shared, lines in ((GLOBAL.replace("ops@example.com", "").replace("boss@example.com", ""), "smtp_alert"), (GLOBAL, "")):
        with side_by_side(text_with(lines, shared=shared)) as (theirs, ours):
            for side in (theirs, ours):
                serve(side.host)
            start(theirs, ours)
            holds_for("no mail", lambda: not mails(theirs.host) and not mails(ours.host), seconds=0.5)


def mailing(host: Host, **mail: object) -> Vrrpd:
    sections = {"mail": {"to": ["ops@example.com"], "server": "127.0.0.1", "port": PORT, "timeout": "1s", **mail}}
    return Vrrpd(host, Instance(), sections=sections, instance_keys={"notify": {"mail": True}})


def test_a_mail_server_that_is_away_costs_one_line_and_nothing_else(lab: Lab):
    one = mailing(lab["one"])
    one.start()
    one.wait_for_state("master")
    one.main.wait_for_log(f"by 127.0.0.1:{PORT}: Connection refused")
    for _ in range(3):
        lab["one"].cut()
        one.wait_for_state("fault")
        lab["one"].mend()
        one.wait_for_state("master")
    assert one.main.log.count("mail: ") == 1, one.main.log
    serve(lab["one"])
    lab["one"].cut()
    wait_for("the next change's mail", lambda: [m for m in mails(lab["one"]) if "FAULT" in m["headers"]["Subject"]])


SILENT = "import socket, time\ns = socket.create_server(('127.0.0.1', 2525))\nwhile True: c = s.accept()"


def test_a_mail_server_that_says_nothing_delays_no_election_and_no_end(lab: Lab):
    host = lab["one"]
    one = mailing(host, timeout="10m")
    host.start("silent", "/usr/bin/python3", "-c", SILENT)
    wait_for("the server", lambda: f":{PORT} " in host.run("ss", "-ltn"))
    one.start()
    one.wait_for_state("master")
    wait_for("the child to be connected", lambda: "ESTAB" in host.run("ss", "-tn"))
    host.cut()
    one.wait_for_state("fault", timeout=2)
    began = time.monotonic()
    assert one.stop() == 0
    assert time.monotonic() - began < 2
    assert "ESTAB" not in host.run("ss", "-tn")


def test_a_name_that_cannot_be_looked_up_is_said_and_delays_nothing(lab: Lab):
    one = mailing(lab["one"], server="mail.invalid")
    one.start()
    one.wait_for_state("master")
    one.main.wait_for_log("mail: 0 of ")
    assert "by mail.invalid:2525: " in one.main.log


def test_a_recipient_who_is_refused_is_said_and_the_others_get_the_mail(lab: Lab):
    serve(lab["one"])
    one = mailing(lab["one"], to=["nobody@example.com", "ops@example.com"])
    one.start()
    wait_for("both mails", lambda: len(mails(lab["one"])) == 2)
    assert [mail["to"] for mail in mails(lab["one"])] == [["<ops@example.com>"]] * 2
    one.main.wait_for_log("RCPT TO:<nobody@example.com> is answered with: 550 no such user")


def test_the_child_that_sends_has_no_privileges(lab: Lab):
    host = lab["one"]
    one = mailing(host, timeout="10m")
    host.start("silent", "/usr/bin/python3", "-c", SILENT)
    wait_for("the server", lambda: f":{PORT} " in host.run("ss", "-ltn"))
    one.start()
    one.wait_for_state("master")

    def child() -> str:
        children = Path(f"/proc/{one.engine()}/task/{one.engine()}/children").read_text().split()
        return Path(f"/proc/{children[0]}/status").read_text() if children else ""

    status = wait_for("the child to be connected", lambda: "ESTAB" in host.run("ss", "-tn") and child())
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["CapPrm"] == fields["CapEff"] == "0" * 16
    assert set(fields["Uid"].split()) == {"65534"}
