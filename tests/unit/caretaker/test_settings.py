from __future__ import annotations

import pytest

from caretaker.errors import SettingsError
from caretaker.settings import Channel, Mode, Settings

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


def test_there_are_the_channels_that_have_a_topic() -> None:
    arn = "arn:aws:sns:eu-west-1:123456789012"
    optional = {
        "CARETAKER_URGENT_TOPIC": f"{arn}:urgent",
        "CARETAKER_CHAT_TOPIC": "",
        "CARETAKER_PAGER_TOPIC": f"{arn}:pager",
        "CARETAKER_WATCHDOG_TOPIC": f"{arn}:watchdog",
    }

    settings = Settings.from_env(FULL | optional)

    assert settings.topics == {
        Channel.ALERTS: f"{arn}:alerts",
        Channel.URGENT: f"{arn}:urgent",
        Channel.PAGER: f"{arn}:pager",
    }
    assert settings.watchdog_topic == f"{arn}:watchdog"


def test_without_optional_topics_there_is_one_channel() -> None:
    settings = Settings.from_env(FULL)

    assert set(settings.topics) == {Channel.ALERTS}
    assert settings.watchdog_topic == ""


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
