"""Starts servers for load tests: the built binary over content and state of its own."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
START_SECONDS = 90
WORD = pathlib.Path("standards/load-test-word.md")


def binary(profile="debug", name="lockstep"):
    """Returns the path of the built binary."""
    path = target_dir() / profile / name
    if not path.exists():
        sys.exit(f"there is no {path}: build it first, or give --binary")
    return path


def target_dir():
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--quiet"]
    return pathlib.Path(json.loads(subprocess.check_output(command, cwd=ROOT))["target_directory"])


def go_tool(name):
    """Returns the path of a pinned Go program, which is built when it is missing."""
    return subprocess.check_output([ROOT / "tools/go-tool", name], text=True).strip()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def copy_content(directory):
    """Copies our own content, and adds the standard that `reload` edits."""
    content = pathlib.Path(directory) / "content"
    shutil.copytree(ROOT / "content", content)
    write_word(content, 0)
    return content


def write_word(content, number):
    """Writes the standard in whole: a reader sees the old or the new one."""
    text = f"# The word of the load test\n\nThe word of the load test is WORD-{number} .\n"
    scratch = content / ".load-test-word"
    scratch.write_text(text)
    scratch.rename(content / WORD)


class Lockstep:
    """A server process on ports that stay the same when it is started again."""

    def __init__(self, name, program, content, state, log, environment=None):
        self.name, self.program, self.log = name, program, log
        self.port, self.admin_port = free_port(), free_port()
        self.arguments = ["--content", str(content), "--state", f"file://{state}"]
        self.environment = dict(os.environ, LOCKSTEP_LOG__FORMAT="json", **(environment or {}))
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def admin(self):
        return f"http://127.0.0.1:{self.admin_port}"

    def start(self):
        command = [self.program, "serve", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--admin-listen", f"127.0.0.1:{self.admin_port}", *self.arguments]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        return self

    def wait_until_ready(self):
        """Waits until the standards are searched by meaning: cold vectors are not under test."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended with {self.process.returncode}: see {self.log}")
            status, body = self.ask("/readyz")
            if status == 200 and "vectors are being made" not in body:
                return self
            time.sleep(0.05)
        sys.exit(f"{self.name} is not ready after {START_SECONDS} s: see {self.log}")

    def ask(self, path):
        """Returns status and body of an admin page; status 0 if there is no answer."""
        try:
            with urllib.request.urlopen(self.admin + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Ends it as a supervisor would; returns the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextlib.contextmanager
def running(*servers):
    """Starts the servers together, waits for all, and stops them at the end."""
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait_until_ready()
        yield servers
    finally:
        for server in servers:
            if server.process is not None and server.process.poll() is None:
                server.terminate()
        for server in servers:
            server.stop()
