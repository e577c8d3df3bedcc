"""What goes on beside a scenario: an editor of standards, clients that are slow."""

import contextlib
import json
import socket
import threading
import urllib.parse

import servers

EDIT_SECONDS = 1.5
SLOW_CLIENTS = 100


@contextlib.contextmanager
def editor(content):
    """Edits a standard again and again."""
    stop = threading.Event()

    def edit():
        number = 1
        while not stop.wait(EDIT_SECONDS):
            servers.write_word(content, number)
            number += 1

    with joined(edit, stop):
        yield


@contextlib.contextmanager
def slow_clients(url):
    """Holds connections that drip requests in, and others whose answers nobody reads."""
    stop = threading.Event()
    address = urllib.parse.urlsplit(url)
    request = search_request(address)

    def drip():
        sockets = [connect(address) for _ in range(SLOW_CLIENTS)]
        for unread in sockets[::2]:
            unread.sendall(request * 20)
        sent = 0
        while not stop.wait(0.1):
            for slow in sockets[1::2]:
                with contextlib.suppress(OSError):  # The server may have given this one up.
                    slow.sendall(request[sent % len(request) :][:1])
            sent += 1
        for each in sockets:
            each.close()

    with joined(drip, stop):
        yield


def connect(address):
    slow = socket.create_connection((address.hostname, address.port or 80), timeout=10)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return slow


def search_request(address):
    arguments = {"query": "How do two agents share one session?", "n_results": 5}
    params = {"name": "search_standards", "arguments": arguments}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    head = [
        f"POST {address.path} HTTP/1.1",
        f"Host: {address.netloc}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


@contextlib.contextmanager
def joined(work, stop):
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
