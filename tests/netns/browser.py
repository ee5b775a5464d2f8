"""A real Chromium without a window, in the network of one Host, told what to do over its debugging pipe."""

from __future__ import annotations

import json
import os
import select
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from lab import Host, LabFailure, wait_for

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync",
    "--remote-debugging-pipe",
)


class Browser:
    """One page. Use as a context manager, or call close()."""

    def __init__(self, host: Host, width: int = 1280, height: int = 900):
        self.problems: list[str] = []  # what the page's console would show in red
        self.requested: list[str] = []  # every address that was asked for something
        self._number = 0
        self._unread = b""
        self._profile = Path(tempfile.mkdtemp(prefix=f"{host.lab.name}-browser-", dir="/tmp"))
        their_end, self._to = os.pipe()
        self._from, their_other_end = os.pipe()
        # Chromium reads its commands from descriptor 3 and answers on 4.
        for theirs in (their_end, their_other_end):
            os.set_inheritable(theirs, True)
        self._process = host.start(
            "chromium", "bash", "-c", f'exec "$@" 3<&{their_end} 4>&{their_other_end}', "bash", "/usr/bin/chromium",
            *_FLAGS, f"--user-data-dir={self._profile}", "about:blank",
            pass_fds=(their_end, their_other_end),
        )
        os.close(their_end)
        os.close(their_other_end)
        self._session = ""
        targets = wait_for("Chromium's page", lambda: self._pages(), timeout=60)
        self._session = self.call("Target.attachToTarget", targetId=targets[0]["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Accessibility", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self._process.kill()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        wait_for(f"{url} to be loaded", lambda: self.eval("document.readyState") == "complete")

    def resize(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def prefer(self, scheme: str) -> None:
        """"light" or "dark"."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key: str) -> None:
        """"Tab", "Enter"."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def eval(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise LabFailure(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def text(self) -> str:
        """What can be seen."""
        return self.eval("document.body.innerText")

    def wait_for_text(self, text: str, timeout: float = 15) -> None:
        wait_for(lambda: f"the page to say {text!r}; it says\n{self.text()}", lambda: text in self.text(), timeout, 0.1)

    def heard(self) -> list[tuple[str, str]]:
        """What a screen reader is told: (role, name) of everything that has both."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        pairs = ((n.get("role", {}).get("value", ""), n.get("name", {}).get("value", "")) for n in nodes)
        return [(role, name) for role, name in pairs if role and name]

    def call(self, method: str, **parameters: Any) -> dict:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise LabFailure(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _pages(self) -> list[dict]:
        return [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"]

    def _note(self, event: dict) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(parameters["exceptionDetails"]))
        elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.problems.append(json.dumps(parameters["entry"]))
        elif event.get("method") == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])

    def _read(self, timeout: float = 30) -> dict:
        deadline = time.monotonic() + timeout
        while b"\0" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                raise LabFailure(f"Chromium did not answer within {timeout:g} s\n{self._process.log[-2000:]}")
            part = os.read(self._from, 1 << 20)
            if not part:
                raise LabFailure(f"Chromium ended\n{self._process.log[-2000:]}")
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)
