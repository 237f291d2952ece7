"""An issuer of tokens with a key set, which can go wrong in every way. OpenSSL's command makes the keys and signs."""
import json
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .server import free_port, part


class Key:
    def __init__(self, name):
        self.name, self.file = name, tempfile.NamedTemporaryFile(prefix="taskward-key-")
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.file.name)
        # The last 32 bytes of the structure are the key (RFC 8410).
        public = openssl("pkey", "-in", self.file.name, "-pubout", "-outform", "DER")[-32:]
        self.entry = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": name, "x": part(public).decode()}

    def sign(self, issuer, user, seconds=24 * 3600):
        header = {"alg": "EdDSA", "kid": self.name}
        claims = {"iss": issuer, "aud": issuer, "sub": user, "exp": int(time.time()) + seconds}
        signed = b".".join(part(json.dumps(each).encode()) for each in (header, claims))
        with tempfile.NamedTemporaryFile() as file:
            file.write(signed)
            file.flush()
            signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.file.name, "-in", file.name)
        return (signed + b"." + part(signature)).decode()


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.PIPE).stdout


class Issuer:
    """`way` says how it answers; `keys` are those that it publishes."""

    def __init__(self):
        self.keys, self.way, self.asked = [Key("first")], "good", 0
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = None

    def settings(self):
        return {"AUTH_ISSUER": self.url, "AUTH_AUDIENCE": self.url, "AUTH_JWKS_URL": f"{self.url}/jwks", "AUTH_HS256_SECRET": "",
                "AUTH_JWKS_TTL_SECONDS": "1", "AUTH_JWKS_COOLDOWN_SECONDS": "1"}

    def start(self):
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                issuer.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.http:
            self.http.shutdown()
            self.http.server_close()
            self.http = None

    def answer(self, request):
        status, body, headers = 200, json.dumps({"keys": [key.entry for key in self.keys]}).encode(), {}
        match self.way:
            case "slow":
                time.sleep(20)
            case "error":
                status = 500
            case "garbage":
                body = b"<html>Please sign in</html>" * 100
            case "no keys":
                body = b'{"keys": []}'
            case "bad keys":
                body = json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "first", "x": "AAAA"}, {"kty": "oct", "k": "AAAA"}]}).encode()
            case "endless":
                body = b'{"keys": [' + b" " * (64 << 20)
            case "redirect":
                status, headers = 302, {"Location": "http://127.0.0.1:9/jwks"}
        try:
            request.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body)
        except OSError:
            pass
