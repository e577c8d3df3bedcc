"""A real proxy before servers: HAProxy with health checks, weights, and a header for testers."""

import contextlib
import csv
import io
import pathlib
import socket
import subprocess
import sys
import time

import servers

CHECK_MS = 100
CONFIGURATION = """\
global
    stats socket {socket} mode 600 level admin
    maxconn 8192
    nbthread 1

defaults
    mode http
    timeout connect 2s
    timeout client 90s
    timeout server 90s
    timeout http-keep-alive 90s
    # A busy server may be slow to answer a check; only one that says 503 or is gone is down.
    timeout check 5s
    # A connection that cannot be opened is tried at another server; a request that was sent is not
    # sent again: two changes could come of it.
    option redispatch 1
    retries 3

frontend public
    bind 127.0.0.1:{port}
    use_backend canary if {{ req.hdr(x-canary) always }}
    use_backend stable if {{ req.hdr(x-canary) never }}
    default_backend split
    http-response set-header x-served-by %s

# All servers, by weight.
backend split
    balance roundrobin
    option httpchk GET /readyz
    default-server inter {check}ms fall 1 rise 1
{split}

# For testers, whatever the weights.
backend stable
    option httpchk GET /readyz
    default-server inter {check}ms fall 1 rise 1
{stable}

backend canary
    option httpchk GET /readyz
    default-server inter {check}ms fall 1 rise 1
{canary}
"""


class Proxy:
    """HAProxy before `stable` and `canary` servers; the canaries begin without weight."""

    def __init__(self, directory, stable, canary=()):
        directory = pathlib.Path(directory)
        self.port, self.socket = servers.free_port(), directory / "haproxy.sock"
        self.configuration, self.log = directory / "haproxy.cfg", directory / "haproxy.log"
        lines = [line(server, 100) for server in stable] + [line(server, 0) for server in canary]
        text = CONFIGURATION.format(
            socket=self.socket,
            port=self.port,
            check=CHECK_MS,
            split="\n".join(lines),
            stable="\n".join(line(server, 100) for server in stable),
            canary="\n".join(line(server, 100) for server in canary),
        )
        self.configuration.write_text(text)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/mcp"

    @contextlib.contextmanager
    def running(self):
        with open(self.log, "ab") as log:
            command = ["haproxy", "-f", self.configuration]
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            while not self.socket.exists():
                if process.poll() is not None:
                    sys.exit("haproxy does not start")
                time.sleep(0.02)
            yield self
        finally:
            process.terminate()
            process.wait()

    def weigh(self, server, weight):
        """Gives the server its share of what comes, of 100 in all."""
        self.tell(f"set weight split/{server.name} {weight}")

    def wait_until(self, server, up):
        """Waits until the health checks have seen the server come or go."""
        wanted = ("UP",) if up else ("DOWN", "MAINT", "NOLB")
        deadline = time.monotonic() + 30
        while not self.row(server)["status"].startswith(wanted):
            if time.monotonic() > deadline:
                sys.exit(f"haproxy says {self.row(server)['status']} of {server.name}")
            time.sleep(0.02)

    def row(self, server, backend="split"):
        """Returns the proxy's own counts of a server: `stot`, `hrsp_5xx`, `econ`, `eresp` …"""
        table = io.StringIO(self.tell("show stat").removeprefix("# "))
        for row in csv.DictReader(table):
            if (row["pxname"], row["svname"]) == (backend, server.name):
                return row
        sys.exit(f"haproxy knows no {backend}/{server.name}")

    def tell(self, command):
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(str(self.socket))
            stats.sendall(command.encode() + b"\n")
            answer = b""
            while more := stats.recv(65536):
                answer += more
        return answer.decode()


def line(server, weight):
    checks = f"check port {server.admin_port}"
    return f"    server {server.name} 127.0.0.1:{server.port} {checks} weight {weight}"
