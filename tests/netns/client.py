"""client.py ADDRESS PORT PATH PER_SECOND: one HTTP request every 1/PER_SECOND s until SIGINT, at most 10 minutes.

For each it prints "SENT FINISHED ANSWER", where ANSWER is the body's first line, or nothing if there was no answer
with status 200 within a second.
"""

import asyncio
import signal
import sys
import time

TIMEOUT = 1.0
LONGEST_RUN = 600.0


async def ask(address: str, port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode(errors="replace").partition("\r\n\r\n")
        return body.strip().splitlines()[0] if " 200 " in head.split("\r\n")[0] and body.strip() else ""
    finally:
        writer.close()


async def ask_and_print(address: str, port: int, path: str) -> None:
    sent = time.time()
    try:
        answer = await asyncio.wait_for(ask(address, port, path), TIMEOUT)
    except (OSError, asyncio.TimeoutError):
        answer = ""
    print(f"{sent:.6f} {time.time():.6f} {answer}", flush=True)


async def main(address: str, port: int, path: str, per_second: float) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    under_way: set[asyncio.Task] = set()
    begin = loop.time()
    count = 0
    while not stopped.is_set() and loop.time() - begin < LONGEST_RUN:
        task = asyncio.create_task(ask_and_print(address, port, path))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        count += 1
        pause = begin + count / per_second - loop.time()
        try:
            await asyncio.wait_for(stopped.wait(), max(pause, 0))
        except asyncio.TimeoutError:
            pass
    if under_way:
        await asyncio.wait(under_way)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
