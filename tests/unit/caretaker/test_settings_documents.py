"""Documents of SSM that the stack names."""

from __future__ import annotations

from caretaker.settings import Settings
from tests.support.stack import ENVIRONMENT


def test_documents_are_known_by_their_names_whether_by_arn_or_not() -> None:
    listed = "arn:aws:ssm:eu-west-1:123456789012:document/restart-web, restart-api ,"
    read = Settings.from_env({**ENVIRONMENT, "CARETAKER_SSM_DOCUMENTS": listed})
    assert read.ssm_documents == {"restart-web", "restart-api"}
    none = Settings.from_env({**ENVIRONMENT, "CARETAKER_SSM_DOCUMENTS": ""})
    assert none.ssm_documents == frozenset()
