# SPDX-License-Identifier: Apache-2.0
"""HTTPS backends that behave as the test says, each on a loopback address of its own.

A backend runs in threads of the test; its `mode` may be changed while it runs:

    ok          200 and the body `ok`
    error       500
    redirect    302 to a page that would be fine
    wrong-body  200 and another body
    big         200 and a body without end
    silent      takes the request and says nothing
    no-tls      takes the connection and says nothing at all
    close       takes the connection and closes it without a byte
    garbage     TLS, then something that is not HTTP

These keep what they were asked.  A fault server is one process with as many servers as a test likes and a hundred ways to
be wrong (tests/tools/backend.c); it counts what it was asked.
"""

import re
import socket
import ssl
import subprocess
import threading


class Backend:
    """One HTTPS server; `certificate` is a path without `.pem`/`.key` (of scripts/make-test-ca)."""

    def __init__(self, address, port, certificate, mode="ok", body="ok\n"):
        self.address, self.port, self.mode, self.body = address, port, mode, body
        self.requests = 0  # answered or refused, whatever the mode
        self.heads = []  # of each request: all of it up to the empty line
        self.server_names = []  # SNI of each handshake
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
        self._context.sni_callback = lambda _sock, name, _context: self.server_names.append(name)
        self._listener = None
        self._open = set()
        self._lock = threading.Lock()

    def start(self):
        """Listens; returns itself."""
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((self.address, self.port))
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self):
        """As kill -9 would: the port is closed, and so is every connection."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            for sock in self._open:
                sock.close()
            self._open.clear()

    def is_stopped(self):
        """Whether its port is closed."""
        return self._listener is None

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with self._lock:
            self._open.add(sock)
        try:
            sock.settimeout(30)
            self._talk(sock)
        except OSError:
            pass  # the other end went away, which is its right
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _talk(self, sock):
        if self.mode == "close":
            self.requests += 1
            return
        if self.mode == "no-tls":
            self.requests += 1
            sock.recv(65536)
            while sock.recv(65536):
                pass
            return
        with self._context.wrap_socket(sock, server_side=True) as tls:
            head = b""
            while b"\r\n\r\n" not in head:
                more = tls.recv(4096)
                if not more:
                    return
                head += more
            self.requests += 1
            self.heads.append(head.decode("latin-1"))
            self._reply(tls)

    def _reply(self, tls):
        def send(status, body, extra=""):
            tls.sendall(
                f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}Connection: close\r\n\r\n{body}".encode()
            )

        mode = self.mode
        if mode == "silent":
            tls.recv(1)
        elif mode == "error":
            send("500 Internal Server Error", "sorry\n")
        elif mode == "redirect":
            send("302 Found", "", f"Location: https://{self.address}:{self.port}/fine\r\n")
        elif mode == "wrong-body":
            send("200 OK", "maintenance\n")
        elif mode == "garbage":
            tls.sendall(b"this is not HTTP\r\n\r\n")
        elif mode == "big":
            tls.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                tls.sendall(b"x" * 65536)
        else:
            send("200 OK", self.body)


def fault_names(program):
    """What a fault server can be: {name: one line about it}; a name that ends with "=" takes a number."""
    printed = subprocess.run([program, "--modes"], capture_output=True, text=True, check=True).stdout
    return dict(line.split(None, 1) for line in printed.splitlines())


class FaultServer:
    """A process of tests/tools/backend; `servers` are (name, address, port, mode, plain) each."""

    def __init__(self, program, certificate, servers):
        arguments = ["--cert", f"{certificate}.pem", "--key", f"{certificate}.key", "--until-eof"]
        for name, address, port, mode, plain in servers:
            arguments += ["--listen", f"{address}:{port}", "--name", name, "--mode", mode]
            arguments += ["--plain"] if plain else []
        self._process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = self._process.stdout.readline()
        if not ready.startswith("ready "):
            raise OSError(f"the fault server did not start: {ready or self._process.wait()}")

    def tell(self, line):
        """One command; it holds when this returns its answer."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer.startswith("ok "):
            raise OSError(f"{line}: {answer}")
        return answer

    def mode(self, name, mode):
        """Makes one server wrong in that way."""
        self.tell(f"mode {name} {mode}")

    def count(self, name):
        """What one server has seen: {"connections", "requests", "longest-gap-ms", "longest-ask-ms"}."""
        return {key: int(value) for key, value in re.findall(r"([a-z-]+)=(\d+)", self.tell(f"count {name}"))}

    def stop(self):
        """It ends when it hears no more."""
        self._process.stdin.close()
        self._process.stdout.close()
        if self._process.wait(20) != 0:
            raise OSError(f"the fault server ended with code {self._process.returncode}")
