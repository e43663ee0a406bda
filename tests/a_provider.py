"""`python -m tests.a_provider PORT CERTIFICATE KEY SECONDS`: an OpenID Connect provider over TLS.

A process of its own, since the provider's libraries warn of each other. Its people carry their
groups in a claim; tokens hold for SECONDS. What it is asked goes to standard error, as an access
log has it: with the whole address.
"""

from __future__ import annotations

import sys
from datetime import timedelta

PEOPLE = {
    "s-lea": {"name": "Lea Leader", "email": "lea@example.com", "groups": ["staff", "leads"]},
    "s-ann": {"name": "Ann Analyst", "email": "ann@example.com", "groups": ["analysts"]},
    "s-vic": {"name": "Vic Viewer", "email": "vic@example.com", "groups": ["auditors"]},
    "s-eve": {"name": "Eve Elsewhere", "email": "eve@example.com", "groups": ["sales"]},
}
ROLES = "lead=leads; analyst=analysts; viewer=auditors"


def main() -> None:
    from oidc_provider_mock import User, app
    from werkzeug.serving import make_server

    port, certificate, key, seconds = sys.argv[1:]
    provider = app(
        require_nonce=True,
        access_token_max_age=timedelta(seconds=int(seconds)),
        user_claims=[User(sub=sub, claims=dict(claims)) for sub, claims in PEOPLE.items()],
    )
    make_server(
        "127.0.0.1", int(port), provider, threaded=True, ssl_context=(certificate, key)
    ).serve_forever()


if __name__ == "__main__":
    main()
