"""A farm of web servers on this machine, and those who probe it.

`farm` starts nginx with a loopback address for each of 1,000 hosts; `hosts` says which hosts there
are and how each answers; `ours`, `bare` and `asking` are programs that probe them all once, each
in a process of its own (`trial` runs them); `handler` plays whole invocations.
"""
