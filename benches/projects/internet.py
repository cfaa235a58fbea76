"""Stands for hosts of the internet that a project's functions call, on machines without internet: a proxy on loopback."""

import http.server
import os
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

# Where systems keep their root certificates.
ROOTS = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]


class Internet:
    """A proxy that answers requests of some pages, and refuses all others. `pages` maps `https://HOST/PATH` to bodies."""

    def __init__(self, pages):
        self.pages = pages

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="stackgen-internet-")
        folder = Path(self.folder.name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(folder, {urlsplit(page).hostname for page in self.pages}))
        roots = next(path for path in ROOTS if os.path.exists(path))
        bundle = folder / "bundle.pem"
        bundle.write_text(Path(roots).read_text() + (folder / "ca.pem").read_text())
        handler = type("Handler", (Proxy,), {"pages": self.pages, "context": context})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.environment = {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.server.server_port}",
            # `dev` gives functions the machine's root certificates, which these are.
            "SSL_CERT_FILE": str(bundle),
        }
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()


class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers in the place of the hosts."""

    pages, context = {}, None

    def do_CONNECT(self):
        host = self.path.partition(":")[0]
        if not any(urlsplit(page).hostname == host for page in self.pages):
            self.send_error(502, "not a host of this run")
            return
        self.send_response(200)
        self.end_headers()
        # The client speaks TLS with the host now.
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.host = host
        self.handle_one_request()

    def do_GET(self):
        page = self.pages.get(f"https://{getattr(self, 'host', '')}{urlsplit(self.path).path}")
        body = (page or "").encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        pass


def certificate(folder, hosts):
    """Creates an authority for this run, and a certificate for the hosts. Returns the paths of the certificate and its key."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=a run of these projects")
    openssl("req", *key, "-keyout", "host.key", "-out", "host.csr", "-subj", "/CN=hosts")
    (folder / "names").write_text("subjectAltName=" + ",".join(f"DNS:{host}" for host in sorted(hosts)))
    openssl("x509", "-req", "-in", "host.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-extfile", "names", "-out", "host.pem")
    return folder / "host.pem", folder / "host.key"
