"""How EC2 says no."""

from __future__ import annotations


class Ec2Error(Exception):
    """An error answer of EC2."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def error_document(error: Ec2Error) -> str:
    """Return an error as EC2 writes it."""
    return (
        f"<Response><Errors><Error><Code>{error.code}</Code><Message>{error.message}</Message>"
        "</Error></Errors><RequestID>bed</RequestID></Response>"
    )
