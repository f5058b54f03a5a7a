"""Read a snapshot through the EBS direct APIs: the list of its blocks, and some of them.

https://docs.aws.amazon.com/ebs/latest/userguide/readsnapshots.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError

from functions.drill.blocklist import Block, BlockList, Page
from functions.drill.checksums import flaw_of_block
from functions.drill.disks import Bytes, read_layout
from functions.drill.facts import Flaw
from functions.drill.verdict import Verdict, judge_layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_ebs import EBSClient
    from mypy_boto3_ebs.type_defs import ListSnapshotBlocksRequestTypeDef

    from caretaker.run import Run, Scene
    from functions.drill.request import DrillRequest
    from functions.drill.units import Unit

_PAGE: Final = 10_000
_SMALLEST_PAGE: Final = 100
"""https://docs.aws.amazon.com/ebs/latest/APIReference/API_ListSnapshotBlocks.html"""
_READINGS: Final = 3
"""Of a block whose transfer breaks off, which no SDK repeats, or whose checksum is wrong."""


class _FlawedError(Exception):
    """A block that was read is not what it has to be."""

    def __init__(self, flaw: Flaw, index: int) -> None:
        super().__init__(f"block {index}, read {_READINGS} times")
        self.flaw = flaw


class Blocks:
    """Reads the backups of one run; its client is made before the workers begin."""

    def __init__(self, run: Run[DrillRequest]) -> None:
        self._scene = run.scene
        self._client = run.scene.account.ebs
        self._sample = run.request.blocks
        self._accepts = run.request.accept_found

    def prove(self, unit: Unit) -> Verdict:
        """Return what the blocks of a snapshot say of it; errors of AWS, and of time, pass."""
        snapshot = unit.snapshot
        listed = BlockList(snapshot.id, snapshot.volume_gib, self._sample)
        reader = _Reader(self._scene, self._client, snapshot.id, listed)
        for page in reader.pages(_PAGE):
            listed.add(page)
            if listed.flaw:
                return Verdict(listed.flaw, f"the list goes wrong after {listed.count} blocks")
        try:
            verdict = reader.layout(() if self._accepts else unit.found_before)
            if verdict.is_proven:
                reader.read_sample()
        except _FlawedError as flawed:
            verdict = Verdict(flawed.flaw, str(flawed))
        return replace(verdict, blocks=listed.count, sampled=len(reader.right))


class _Reader:
    """Reads blocks of one snapshot; `right` are those that were what they had to be."""

    def __init__(
        self, scene: Scene, client: EBSClient, snapshot_id: str, listed: BlockList
    ) -> None:
        self._scene = scene
        self._client = client
        self._snapshot_id = snapshot_id
        self._listed = listed
        self.right: set[int] = set()

    def pages(self, size: int, start: int = 0) -> Iterator[Page]:
        """Yield the list of blocks from one on."""
        asked: ListSnapshotBlocksRequestTypeDef = {
            "SnapshotId": self._snapshot_id,
            "MaxResults": size,
        }
        if start:
            asked["StartingBlockIndex"] = start
        while True:
            answer = self._scene.pacer.call(
                "ListSnapshotBlocks",
                lambda: self._client.list_snapshot_blocks(**asked),  # noqa: B023 - sent at once
            )
            blocks = [
                Block(each.get("BlockIndex", -1), each.get("BlockToken", ""))
                for each in answer.get("Blocks", [])
            ]
            yield Page(blocks, answer.get("VolumeSize", 0), answer.get("BlockSize", 0))
            following = answer.get("NextToken")
            if not following:
                return
            asked = {
                "SnapshotId": self._snapshot_id,
                "MaxResults": size,
                "NextToken": following,
            }

    def layout(self, found_before: tuple[str, ...]) -> Verdict:
        """Judge the partition table and what each partition begins with."""
        size = self._listed.volume_bytes
        volume = Bytes(self._find, size, self._listed.block_bytes)
        return judge_layout(read_layout(volume, size), found_before)

    def read_sample(self) -> None:
        """Read the sample, as far as that has not been done."""
        for block in self._listed.sample:
            if block.number not in self.right:
                self.read(block)

    def read(self, block: Block, readings: int = _READINGS) -> bytes:
        """Return a block that is what it has to be; one that is not is read again."""
        try:
            return self._read_once(block)
        except (BotoCoreError, _FlawedError):
            if readings == 1:
                raise
        return self.read(block, readings - 1)

    def _read_once(self, block: Block) -> bytes:
        data, checksum, algorithm = self._get(block)
        flaw = flaw_of_block(data, self._listed.block_bytes, checksum, algorithm)
        if flaw is not None:
            raise _FlawedError(flaw, block.number)
        self.right.add(block.number)
        return data

    def _get(self, block: Block) -> tuple[bytes, str, str]:
        def get() -> tuple[bytes, str, str]:
            answer = self._client.get_snapshot_block(
                SnapshotId=self._snapshot_id, BlockIndex=block.number, BlockToken=block.token
            )
            with answer["BlockData"] as body:
                data = body.read(self._listed.block_bytes + 1)
            return data, answer.get("Checksum", ""), answer.get("ChecksumAlgorithm", "")

        return self._scene.pacer.call("GetSnapshotBlock", get)

    def _find(self, index: int) -> bytes | None:
        """Return a block by its index, None where it was never written.

        Beyond the first blocks it is looked for: a page may be empty, or begin later.
        """
        if self._listed.holds(index):
            block = self._listed.find(index)
            return self.read(block) if block else None
        for page in self.pages(_SMALLEST_PAGE, index):
            for block in page.blocks:
                if block.number == index:
                    return self.read(block)
                if block.number > index:
                    return None
        return None
