"""Real servers on this machine's loopback, which behave as a test tells them to.

::

    with running_farm() as farm:
        farm.set("shop", status=500)             # any host whose name begins with `shop`
        farm.set("shop/health", json={"ok": 1})  # one path of it
        farm.port("http"), farm.port("https")    # both on 127.0.0.1 and on ::1
        farm.count("shop"), farm.seen("shop")[-1].headers["authorization"]
        farm.received("shop", "Authorization", "Bearer x")  # how often this value arrived

A site is found by the Host of the request: by host and path, else by host, else by its first label;
who is not set answers 200. `Behaviour` says what a site can do: `status`, `statuses` (in turn, the
last one stays), `body`, `json`, `headers`, `delay_ms`, `redirect`, `hops`, `how` and `certificate`.

`how` is `well` or one of `drip` (a byte now and then), `endless` (a body without end), `bomb`
(64 MiB in 64 KiB of gzip), `huge_headers`, `bad_chunks`, `bad_gzip`, `cut` (less than announced),
`empty` (closed without an answer), `noise` (not HTTP), `silent` (no answer ever), `echo` (how often
each header arrived, as JSON).

`certificate` is good, other_host, self_signed, expired, future, expiring (in `days`), short_chain
(whose intermediate expires in `days`, before the leaf) or lone_leaf (without its intermediate).
All but the self-signed are signed by `farm.ca`, a PEM; which one is shown is up to the name asked
for in the handshake.

Ports besides: `http2` (TLS, HTTP/2 alone; its site is `http2`), `hangs_up` (closes as it accepts),
`black_hole` (accepts and says nothing), `refused` (nobody listens), `full` (its queue is full: no
connection comes about).
"""

from tests.farm.behaviour import Behaviour, Seen
from tests.farm.server import Farm, running_farm

__all__ = ["Behaviour", "Farm", "Seen", "running_farm"]
