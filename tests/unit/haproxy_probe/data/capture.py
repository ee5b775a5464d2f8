#!/usr/bin/python3
"""Writes the *.txt captures of this directory anew, each the whole answer of a real HAProxy to
`show info;show stat -1 4 -1` (all-types.txt: to `show info;show stat`). HAProxy and its servers run on loopback, in a
private directory that is removed at the end. The teams' servers have addresses of the documentation range, vm1's
being "this machine's", and are checked on loopback. The captures here were made with HAProxy 2.6.12 of Debian 12.
"""

import contextlib
import errno
import pathlib
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ASK = b"show info;show stat -1 4 -1\n"

CONFIG = """
global
  stats socket {dir}/operator.sock mode 600 level operator
  stats socket {dir}/admin.sock mode 600 level admin
  stats socket {dir}/user.sock mode 600 level user
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  timeout check 500ms
frontend fe
  bind unix@{dir}/fe.sock
  option socket-stats
  default_backend jenkins_backend_devops
backend jenkins_backend_devops
  server devops-vm1 192.0.2.1:8080 check addr 127.0.0.1 port {up} inter 100ms
  server devops-vm2 192.0.2.2:8080 check addr 127.0.0.1 port {up} inter 100ms backup
backend jenkins_backend_ma
  server ma-vm1 192.0.2.1:8080 check addr 127.0.0.1 port {up} inter 100ms
  server ma-vm2 192.0.2.2:8080 check addr 127.0.0.1 port {up} inter 100ms backup
backend jenkins_backend_ba
  server ba-vm1 192.0.2.1:8080 check addr 127.0.0.1 port {down} inter 100ms fall 1
  server ba-vm2 192.0.2.2:8080 check addr 127.0.0.1 port {up} inter 100ms backup
backend jenkins_backend_tw
  server tw-vm1 192.0.2.1:8080 check addr 127.0.0.1 port {up} inter 100ms
  server tw-vm2 192.0.2.2:8080 check addr 127.0.0.1 port {up} inter 100ms backup
resolvers nobody
  nameserver n 127.0.0.1:{down}
  resolve_retries 1
  timeout resolve 100ms
  timeout retry 100ms
  hold timeout 100ms
  hold other 100ms
  hold refused 100ms
backend odd
  server unchecked 127.0.0.1:{up}
  server BACKEND 127.0.0.1:{up} check inter 100ms
  server maintained 127.0.0.1:{up} check disabled
  server drained 127.0.0.1:{up} check inter 100ms
  server version6 [::1]:{down6} check inter 100ms fall 1
  server unresolved nosuchname.invalid:80 check resolvers nobody init-addr none
  server socket unix@{dir}/none.sock check inter 100ms fall 1
  server follows_ba 127.0.0.1:{up} track jenkins_backend_ba/ba-vm1
backend forged
  option tcp-check
  tcp-check connect
  tcp-check expect string NEVER on-error "%[res.payload(0,0)]"
  server forger 127.0.0.1:{forger} check inter 100ms fall 1
"""

STARTING = """
global
  stats socket {dir}/starting.sock mode 600 level operator
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
backend jenkins_backend_devops
  server devops-vm1 192.0.2.1:8080 check addr 127.0.0.1 port {up} inter 60s
  server devops-vm2 192.0.2.2:8080 check addr 127.0.0.1 port {up} inter 60s backup
"""


class Greeter(socketserver.BaseRequestHandler):
    text = b""
    waits = True

    def handle(self):
        with contextlib.suppress(OSError):
            self.request.sendall(self.text)
            if self.waits:
                self.request.recv(4096)


class Forger(Greeter):
    # A blank line, a prompt, quotes, and a row that looks like a server of a team.
    text = b'a "quoted", text\n\n> \njenkins_backend_ba,ba-vm1,0,0,0,0,,0,0,0,,0,,0,0,0,0,UP,1,1\r\n\n'
    waits = False  # the check ends, and quotes the text, when the connection does


def serve(handler):
    server = socketserver.ThreadingTCPServer(("", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def ask(path, command=ASK):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(command)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def wait_for(what, condition):
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"not in 10 s: {what}")
        time.sleep(0.02)


def start(directory, name, text, sock):
    config = directory / f"{name}.cfg"
    config.write_text(text)
    process = subprocess.Popen(["haproxy", "-db", "-f", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(f"socket of {name}", sock.exists)
    return process


def ask_when_stopping(process, path):
    """Only a connection that was there before can still ask a stopping worker."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"prompt\n")
        connection.recv(100)
        process.send_signal(signal.SIGUSR1)
        wait_for("a refusal", lambda: connection_is_refused(path))
        connection.sendall(ASK + b"quit\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        # Without the two prompts, whose line ends are the blank lines of the one-shot answer.
        return answer.rsplit(b"> ", 1)[0].replace(b"\n> # pxname", b"\n# pxname")


def connection_is_refused(path):
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == errno.ECONNREFUSED


def keep(name, answer):
    (HERE / name).write_bytes(answer)
    print(name, len(answer))


def main():
    with tempfile.TemporaryDirectory() as name, socket.socket() as closed, socket.socket(socket.AF_INET6) as closed6:
        directory = pathlib.Path(name)
        closed.bind(("127.0.0.1", 0))  # bound, not listening: refuses
        closed6.bind(("::1", 0))
        ports = {"up": serve(Greeter), "forger": serve(Forger), "down": closed.getsockname()[1],
                 "down6": closed6.getsockname()[1], "dir": directory}
        operator = directory / "operator.sock"
        main_process = start(directory, "main", CONFIG.format(**ports), operator)
        starting = start(directory, "starting", STARTING.format(**ports), directory / "starting.sock")
        try:
            keep("starting.txt", ask(directory / "starting.sock"))
            wait_for("checks", lambda: b"INI" not in (text := ask(operator)) and b"MAINT (resolution)" in text
                     and b"quoted" in text)
            ask(directory / "admin.sock", b"set server odd/drained state drain\n")
            wait_for("drain", lambda: b",DRAIN," in ask(operator))
            keep("one-team-down.txt", ask(operator))
            keep("all-types.txt", ask(operator, b"show info;show stat\n"))
            keep("level-user.txt", ask(directory / "user.sock"))
            keep("stopping.txt", ask_when_stopping(main_process, operator))
        finally:
            main_process.kill()
            starting.kill()
            main_process.wait()
            starting.wait()


if __name__ == "__main__":
    main()
