#!/usr/bin/env python3
"""Prints a token of a user, signed with AUTH_HS256_SECRET: lib/token.py USER."""
import base64, hashlib, hmac, json, os, sys, time


def token(user, secret):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    claims = {"sub": user, "iat": int(time.time()), "exp": int(time.time()) + 3600}
    signed = b".".join(part(json.dumps(each).encode()) for each in ({"alg": "HS256", "typ": "JWT"}, claims))
    return b".".join((signed, part(hmac.new(secret.encode(), signed, hashlib.sha256).digest()))).decode()


if __name__ == "__main__":
    print(token(sys.argv[1], os.environ["AUTH_HS256_SECRET"]))
