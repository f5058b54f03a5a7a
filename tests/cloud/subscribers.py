"""Listens to topics as real subscribers do: over HTTP, through a queue, by e-mail."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Never, Self
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.cloud.stack import LocalCloud


_MOST_QUEUE_NAME = 80


class NotHeardError(Exception):
    """Nothing, or too little, arrived in time."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as its subscriber got it."""

    subject: str
    message: str
    envelope: dict[str, Any] = field(repr=False)

    @property
    def document(self) -> dict[str, Any]:
        """The message read as a JSON object."""
        return dict(json.loads(self.message))


class HttpSubscriber:
    """An HTTP endpoint on the loopback interface: confirms subscriptions, keeps messages."""

    def __init__(self) -> None:
        """Take a free port; `with` starts listening."""
        self.received: list[Heard] = []
        self._arrived = threading.Condition()
        self._confirmed = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def subscribe(self, cloud: LocalCloud, topic_arn: str, seconds: float = 10.0) -> None:
        """Subscribe to a topic and wait until that is confirmed."""
        self._confirmed.clear()
        cloud.client("sns").subscribe(TopicArn=topic_arn, Protocol="http", Endpoint=self.url)
        if not self._confirmed.wait(seconds):
            raise NotHeardError(f"no confirmation was asked for {topic_arn}")

    def wait_for(self, count: int, seconds: float = 30.0) -> list[Heard]:
        """Return what arrived once it is at least `count` messages."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.received) >= count, seconds):
                raise NotHeardError(f"{len(self.received)} of {count} messages in {seconds} s")
            return list(self.received)

    def wait_for_one(self, wanted: Callable[[Heard], bool], seconds: float = 30.0) -> Heard:
        """Return the first message that is wanted, once it is there."""
        with self._arrived:
            found = self._arrived.wait_for(lambda: _first(wanted, self.received), seconds)
        return found or _not_heard(self.received, seconds)

    def take(self, envelope: dict[str, Any]) -> None:
        """Handle one request of SNS."""
        if envelope.get("Type") == "SubscriptionConfirmation":
            with urlopen(envelope["SubscribeURL"], timeout=10):  # noqa: S310 - the local cloud
                self._confirmed.set()
            return
        heard = Heard(envelope.get("Subject") or "", envelope.get("Message") or "", envelope)
        with self._arrived:
            self.received.append(heard)
            self._arrived.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        subscriber = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                threading.Thread(target=subscriber.take, args=(json.loads(body),)).start()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class QueueSubscriber:
    """A queue subscribed to a topic."""

    def __init__(self, cloud: LocalCloud, topic_arn: str, name: str = "") -> None:
        """Make the queue, named after the topic unless told otherwise, and subscribe it."""
        self._sqs = cloud.client("sqs")
        name = name or topic_arn.rpartition(":")[2][:_MOST_QUEUE_NAME]
        self.url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self.received: list[Heard] = []
        self._shown = 0
        arn = self._open_to_topics()
        if topic_arn:
            cloud.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)

    def wait_for(self, count: int, seconds: float = 30.0) -> list[Heard]:
        """Take messages off the queue until there are at least `count` in all; return all."""
        self._drain_until(lambda: len(self.received) >= count, seconds)
        if len(self.received) < count:
            raise NotHeardError(f"{len(self.received)} of {count} messages in {seconds} s")
        return list(self.received)

    def wait_for_one(self, wanted: Callable[[Heard], bool], seconds: float = 30.0) -> Heard:
        """Return the first message that is wanted, once it is there."""
        self._drain_until(lambda: _first(wanted, self.received) is not None, seconds)
        return _first(wanted, self.received) or _not_heard(self.received, seconds)

    def news(self) -> list[Heard]:
        """Return what has arrived since the last look, without waiting."""
        while self._drain(wait_seconds=0):
            pass
        fresh, self._shown = self.received[self._shown :], len(self.received)
        return fresh

    def _open_to_topics(self) -> str:
        """Let SNS send to the queue, as any subscribed queue must; return its ARN."""
        answer = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        arn = str(answer["Attributes"]["QueueArn"])
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})
        return arn

    def _drain_until(self, enough: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not enough() and time.monotonic() < end:
            self._drain()

    def _drain(self, wait_seconds: int = 1) -> int:
        answer = self._sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds
        )
        for message in answer.get("Messages", ()):
            envelope = json.loads(message["Body"])
            subject, text = envelope.get("Subject") or "", envelope.get("Message") or ""
            self.received.append(Heard(subject, text, envelope))
            self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return len(answer.get("Messages", ()))


class Mailbox(QueueSubscriber):
    """What an address (or a phone number) that is subscribed to topics gets by e-mail (or SMS)."""

    def __init__(self, cloud: LocalCloud, address: str) -> None:
        """Open it; what was sent before is lost."""
        name = "mailbox-" + re.sub(r"[^A-Za-z0-9]", "-", address)
        super().__init__(cloud, topic_arn="", name=name)
        self.address = address


def confirm_address(cloud: LocalCloud, topic_arn: str, address: str) -> None:
    """Confirm a subscription as the one who reads that mail would.

    Only an address that begins with `unconfirmed` waits for it; others are confirmed at once.
    """
    sns = cloud.client("sns")
    sns.get_topic_attributes(TopicArn=topic_arn)
    sns.confirm_subscription(TopicArn=topic_arn, Token=f"confirm-{address}")


def _first(wanted: Callable[[Heard], bool], received: list[Heard]) -> Heard | None:
    return next((each for each in received if wanted(each)), None)


def _not_heard(received: list[Heard], seconds: float) -> Never:
    subjects = [each.subject for each in received]
    raise NotHeardError(f"not among the messages of {seconds} s: {subjects}")
