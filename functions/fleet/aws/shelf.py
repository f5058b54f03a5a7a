"""What a run keeps in the bucket: its manifest, its waves, and what its children came to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import home
from caretaker.errors import CallError, ListingError
from functions.fleet.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_s3 import S3Client

    from caretaker.settings import Settings

_TAKEN: Final = "PreconditionFailed"
_NONE: Final = "NoSuchKey"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The objects of one run. `CallError` where the bucket refuses."""

    client: S3Client
    bucket: str
    run: str

    @classmethod
    def of(cls, settings: Settings, run: str) -> Shelf:
        """Return that of a run, in the bucket of the stack."""
        return cls(home(settings.region).s3, settings.reports_bucket, run)

    def put_manifest(self, manifest: Manifest) -> Manifest:
        """Write the manifest unless there is one, and return the one that there is.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        try:
            self._put(self._key("manifest.json"), manifest.as_document(), IfNoneMatch="*")
        except CallError as error:
            if error.failure.code != _TAKEN:
                raise
            return self.get_manifest() or manifest
        return manifest

    def get_manifest(self) -> Manifest | None:
        """Return the manifest; None where there is none."""
        try:
            return Manifest.from_document(self._get(self._key("manifest.json")))
        except CallError as error:
            if error.failure.code == _NONE:
                return None
            raise

    def put_wave(self, number: int, items: Iterable[Mapping[str, Any]]) -> str:
        """Write the items of a wave, and return the key."""
        key = self._wave(number)
        self._put(key, list(items))
        return key

    def get_wave(self, number: int) -> list[dict[str, Any]]:
        """Return the items of a wave."""
        wave: list[dict[str, Any]] = self._get(self._wave(number))
        return wave

    def results(self, number: int) -> str:
        """Return the prefix that the state machine writes the children of a wave below."""
        return self._key(f"ended-{number}")

    def list_children(self, number: int) -> Iterator[Mapping[str, Any]]:
        """Yield every child of a wave, of all its map runs, as the state machine wrote it."""
        for key in self._list(f"{self.results(number)}/"):
            if key.endswith("/manifest.json"):
                files = self._get(key)["ResultFiles"]
                for each in (file for listed in files.values() for file in listed):
                    yield from self._get(each["Key"])

    def _key(self, name: str) -> str:
        return f"fleet/runs/{self.run}/{name}"

    def _wave(self, number: int) -> str:
        return self._key(f"wave-{number}.json")

    def _put(self, key: str, document: object, **guard: Any) -> None:  # noqa: ANN401
        body = json.dumps(document).encode()
        try:
            self.client.put_object(
                Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", **guard
            )
        except AWS_ERRORS as error:
            raise CallError("PutObject", classify(error)) from error

    def _get(self, key: str) -> Any:  # noqa: ANN401
        try:
            return json.load(self.client.get_object(Bucket=self.bucket, Key=key)["Body"])
        except AWS_ERRORS as error:
            raise CallError("GetObject", classify(error)) from error

    def _list(self, prefix: str) -> Iterator[str]:
        try:
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                yield from (each["Key"] for each in page.get("Contents", ()))
        except AWS_ERRORS as error:
            raise ListingError("ListObjectsV2", classify(error)) from error
