"""mail_server.py PORT FILE: an SMTP server on all addresses that appends each mail to FILE as a line of JSON: the sender and
the recipients of the envelope, the headers and the body. A recipient whose name begins with "no" is refused."""

import email
import json
import socketserver
import sys


class Session(socketserver.StreamRequestHandler):
    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        self.say("220-mail.test")  # an answer may have several lines
        self.say("220 ready")
        mail: dict = {}
        while line := self.rfile.readline().decode():
            assert line.endswith("\r\n"), line
            command, _, argument = line.strip().partition(":")
            word = command.split()[0].upper()
            if word == "MAIL":
                mail = {"helo": mail.get("helo"), "from": argument, "to": []}
            elif word == "HELO":
                mail = {"helo": command.partition(" ")[2]}
            elif word == "RCPT" and argument.startswith("<no"):
                self.say("550 no such user")
                continue
            elif word == "RCPT":
                mail["to"].append(argument)
            elif word == "DATA":
                self.say("354 go on")
                mail.update(self.read_text())
                with open(sys.argv[2], "a", encoding="utf-8") as file:
                    file.write(json.dumps(mail) + "\n")
            elif word == "QUIT":
                self.say("221 bye")
                return
            self.say("250 ok")

    def read_text(self) -> dict:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            assert line.endswith(b"\r\n"), line
            lines.append(line)
        text = email.message_from_bytes(b"".join(lines))
        return {"headers": dict(text.items()), "body": text.get_payload()}


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100


if __name__ == "__main__":
    Server(("", int(sys.argv[1])), Session).serve_forever()
