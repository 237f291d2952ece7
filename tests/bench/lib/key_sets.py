"""Serves the key sets of the tokens, as the issuer does."""
import functools
import http.server
import threading


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class KeySets:
    def __init__(self, folder):
        handler = functools.partial(Quiet, directory=folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, dataset):
        return f"http://127.0.0.1:{self.server.server_port}/{dataset}/jwks.json"

    def stop(self):
        self.server.shutdown()
