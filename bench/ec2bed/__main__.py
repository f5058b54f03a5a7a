"""Start the bed: `python -m bench.ec2bed [--port N]`; prints its address, ends with its input."""

import argparse
import asyncio
import contextlib
import sys

from bench.ec2bed.app import Bed
from bench.ec2bed.http import serve


async def _main(port: int) -> None:
    server, address = await serve(Bed(), port)
    async with server:
        print(address, flush=True)
        # The parent holds our input open: when it is gone, however it went, so are we.
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.ec2bed", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args().port))
