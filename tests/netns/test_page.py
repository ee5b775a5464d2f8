"""The page at /, in a real browser beside a real HAProxy: what it shows, to whom, and that it asks nobody else."""

from __future__ import annotations

from typing import Iterator

import pytest
from browser import Browser
from daemons import Haproxy, Instance, Vrrpd
from lab import Lab, wait_for
from observe import AddressMonitor

VIP = "10.77.0.100"
PORT = 9650
ORIGIN = f"http://127.0.0.1:{PORT}/"

# The relative luminance of WCAG 2.1, and the lowest contrast of any visible text with the ground it stands on.
LOWEST_CONTRAST = """
(() => {
  const parts = color => color.match(/[\\d.]+/g).map(Number);
  const light = color => {
    const [r, g, b] = parts(color).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (parts(color)[3] !== 0) return color;
    }
    return getComputedStyle(document.documentElement).colorScheme.includes("dark") ? "rgb(0,0,0)" : "rgb(255,255,255)";
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let lowest = 99;
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility() || ["SCRIPT", "NOSCRIPT"].includes(e.tagName)) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    lowest = Math.min(lowest, (a + .05) / (b + .05));
  }
  return lowest;
})()
"""


class Scene:
    def __init__(self, lab: Lab, monitor: AddressMonitor):
        self.haproxy = Haproxy(lab["one"])
        self.haproxy.start()
        self.vrrpd = Vrrpd(
            lab["one"],
            Instance(priority=110, name='VI_<b>"&'),
            instance_keys={"track": ["haproxy"]},
            sections={
                "http": {"listen": f"127.0.0.1:{PORT}"},
                "haproxy": {
                    "stats": str(self.haproxy.stats_socket), "interval": "100ms", "timeout": "80ms",
                    "teams": "jenkins_backend_(.+)", "demote": {"down": 100},
                },
            },
        )
        self.vrrpd.start()
        monitor.wait_for_owner(VIP, lab["one"])


@pytest.fixture
def scene(lab: Lab, monitor: AddressMonitor) -> Scene:
    return Scene(lab, monitor)


@pytest.fixture
def browser(lab: Lab) -> Iterator[Browser]:
    with Browser(lab["one"]) as made:
        yield made


def test_the_page_shows_who_has_what_and_why_and_keeps_up(scene: Scene, browser: Browser):
    browser.open(ORIGIN)
    browser.wait_for_text("MASTER")
    text = browser.text()
    assert 'VI_<b>"&' in text, "a name is text, whatever it looks like"
    assert VIP in text and "VRID 51" in text
    browser.wait_for_text("4 of 4 servers up (100%), 4 of 4 teams healthy")
    browser.wait_for_text("110")

    scene.haproxy.kill_servers("ba")
    browser.wait_for_text("3 of 4 servers up (75%), 3 of 4 teams healthy")
    assert "NO FAILOVER: 75% is not below 50%; 3 healthy teams" in browser.text()
    rows = browser.eval("[...document.querySelectorAll('#teams tr')].map(row => row.innerText.replaceAll('\\t', ' '))")
    assert [row.replace("\n", " ") for row in rows] == ["devops UP 1 1", "ma UP 1 1", "ba DOWN 0 1", "tw UP 1 1"]

    scene.haproxy.kill_haproxy()
    browser.wait_for_text("10 = 110 − 100 (haproxy)")
    browser.wait_for_text("priority 10 = 110 − 100 (haproxy: ")
    happened = browser.eval("[...document.querySelectorAll('#happened li')].map(e => e.innerText)")
    assert any(line.endswith("MASTER, priority 110: no advertisement was heard from anybody") for line in happened)
    assert browser.eval("document.querySelectorAll('#bars .bar .master').length") == 1
    scene.vrrpd.ctl("drain", check=False)
    browser.wait_for_text("Drained since")
    scene.vrrpd.ctl("undrain")
    scene.vrrpd.kill()
    browser.wait_for_text("vrrpd does not answer; what is shown is from")
    scene.vrrpd.start()
    browser.wait_for_text("as of")
    assert all(address.startswith((ORIGIN, "data:")) for address in browser.requested if address != "about:blank")
    # A daemon that is gone is shown on the page; that the browser notes it too is no fault of the page.
    assert [p for p in browser.problems if "ERR_CONNECTION_REFUSED" not in p] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_light_and_dark(scene: Scene, browser: Browser, scheme: str):
    browser.prefer(scheme)
    browser.open(ORIGIN)
    browser.wait_for_text("MASTER")
    scene.haproxy.kill_haproxy()
    browser.wait_for_text("DOWN")
    grounds = browser.eval("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
    assert (sum(grounds) > 3 * 128) == (scheme == "light")
    # WCAG 2.1, 1.4.3, level AA.
    assert browser.eval(LOWEST_CONTRAST) >= 4.5


def test_a_phone_shows_it_without_scrolling_sideways(scene: Scene, browser: Browser):
    browser.resize(320, 640)
    browser.open(ORIGIN)
    browser.wait_for_text("MASTER")
    assert browser.eval("document.documentElement.scrollWidth") <= 320
    assert browser.eval("document.documentElement.scrollHeight") > 640, "all of it is there"


def test_the_keyboard_reaches_and_opens_everything_and_keeps_its_place(scene: Scene, browser: Browser):
    browser.open(ORIGIN)
    browser.wait_for_text("MASTER")

    def focused() -> str:
        return browser.eval("document.activeElement.innerText || ''")

    def reach_the_counters() -> bool:
        browser.press("Tab")
        return focused() == "Counters"

    wait_for("the keyboard to reach the counters", reach_the_counters)
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert browser.eval(outline) == "solid"
    browser.press("Enter")
    sent = "[...document.querySelectorAll('dt')].find(e => e.innerText === 'advertisement-sent')?.nextSibling.innerText"
    first = wait_for("the counters", lambda: browser.eval(sent))
    wait_for("the page to go on counting", lambda: browser.eval(sent) not in ("", first))
    assert focused() == "Counters"
    assert browser.eval("document.querySelector('details').open")


def test_a_screen_reader_hears_headings_tables_and_changes_only(scene: Scene, browser: Browser):
    browser.open(ORIGIN)
    browser.wait_for_text("4 of 4 teams healthy")
    heard = browser.heard()
    for pair in (("heading", "one"), ("heading", "Virtual routers"), ("heading", 'VI_<b>"&'), ("heading", "HAProxy"),
                 ("columnheader", "Team"), ("rowheader", "devops")):
        assert pair in heard
    news = "document.getElementById('news')"
    assert browser.eval(f"{news}.getAttribute('aria-live')") == "polite"
    assert browser.eval(f"{news}.textContent") == ""
    scene.vrrpd.host.ip("link set eth0 down")
    wait_for("the news", lambda: browser.eval(f"{news}.textContent") == 'VI_<b>"& is fault now.', every=0.1)
