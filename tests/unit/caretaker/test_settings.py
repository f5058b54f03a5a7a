from __future__ import annotations

import pytest

from caretaker.errors import SettingsError
from caretaker.settings import Mode, Settings

FULL = {
    "CARETAKER_INSTALLATION": "caretaker",
    "CARETAKER_MODE": "act",
    "CARETAKER_STATE_TABLE": "table",
    "CARETAKER_REPORTS_BUCKET": "bucket",
    "CARETAKER_ALERTS_TOPIC": "arn:aws:sns:eu-west-1:123456789012:alerts",
    "AWS_REGION": "eu-west-1",
}


def test_reads_what_the_template_sets() -> None:
    settings = Settings.from_env(FULL)

    assert settings.mode is Mode.ACT
    assert settings.state_table == "table"
    assert settings.region == "eu-west-1"
    assert (settings.target_role_name, settings.environment_name, settings.runbook_url) == ("",) * 3


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("value", [None, ""])
def test_names_the_variable_that_is_missing(name: str, value: str | None) -> None:
    environ = {k: v for k, v in FULL.items() if k != name} | (
        {} if value is None else {name: value}
    )

    with pytest.raises(SettingsError, match=f"^{name} is missing$"):
        Settings.from_env(environ)


def test_names_all_of_them_at_once() -> None:
    with pytest.raises(SettingsError) as wrong:
        Settings.from_env({"CARETAKER_MODE": "dry-run"})

    text = str(wrong.value)
    assert all(f"{name} is missing" in text for name in set(FULL) - {"CARETAKER_MODE"})
    assert "CARETAKER_MODE must be act or report" in text
