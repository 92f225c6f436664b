"""A proxy that plays a vendor's hosts, for programs whose address cannot be set.

The program runs unmodified with `HTTPS_PROXY`, `HTTP_PROXY` and `REQUESTS_CA_BUNDLE` from
`environment`. A host that is played ends here, in TLS with a certificate made for it, and is
passed on to the stand-in; any other host is refused and noted in `refused`.
"""

import http.client
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit


def certificate(folder: Path, hosts: Iterable[str]) -> tuple[Path, Path]:
    """Make a certificate of its own for the hosts, with openssl; good for a day."""
    openssl = shutil.which("openssl")
    assert openssl, "openssl is needed to make a certificate"
    public, private = folder / "certificate.pem", folder / "key.pem"
    names = ",".join(f"DNS:{host}" for host in hosts)
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "1", "-subj", "/CN=stand-in", "-keyout", str(private)]
    command += ["-addext", f"subjectAltName={names}", "-out", str(public)]
    command += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed words
    return public, private


class Interceptor:
    def __init__(self, folder: Path, hosts: Iterable[str], port: int) -> None:
        """Play `hosts` with what listens on 127.0.0.1 at `port`."""
        self.hosts = set(hosts)
        self.port = port
        self.refused: list[str] = []
        self._public, private = certificate(folder, sorted(self.hosts))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self._public, private)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def environment(self) -> dict[str, str]:
        proxy = f"http://127.0.0.1:{self._server.server_port}"
        return {
            "HTTPS_PROXY": proxy,
            "HTTP_PROXY": proxy,
            "REQUESTS_CA_BUNDLE": str(self._public),
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()


def _handler(interceptor: Interceptor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

        def do_CONNECT(self) -> None:
            if not self._is_played(self.path.partition(":")[0]):
                return
            self.send_response(200)
            self.end_headers()
            self.connection = interceptor.tls.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)
            self.close_connection = False

        def finish(self) -> None:
            super().finish()
            if isinstance(self.connection, ssl.SSLSocket):
                self.connection.close()

        def _is_played(self, host: str) -> bool:
            if host in interceptor.hosts:
                return True
            interceptor.refused.append(host)
            self.send_error(403)
            return False

        def _pass_on(self) -> None:
            target = urlsplit(self.path)
            if target.hostname and not self._is_played(target.hostname):
                return
            path = target.path + (f"?{target.query}" if target.query else "")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            inner = http.client.HTTPConnection("127.0.0.1", interceptor.port, timeout=10)
            inner.request(self.command, path, body, dict(self.headers))
            reply = inner.getresponse()
            content = reply.read()
            inner.close()
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.headers.get("Content-Type", "text/plain"))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815

    return Handler
