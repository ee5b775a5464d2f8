"""inject.py INTERFACE: sends the Ethernet frames that come in on standard input, one a line, in hexadecimal."""

import socket
import sys

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
    link.bind((sys.argv[1], 0))
    for line in sys.stdin:
        link.send(bytes.fromhex(line))
