"""How many runs of a function Lambda has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import home
from caretaker.errors import CallError
from functions.fleet.facts import Room

if TYPE_CHECKING:
    from collections.abc import Callable

    from caretaker.run import Scene


def get_room(scene: Scene, function: str) -> Room:
    """Return what is reserved for the function, or else what nobody has reserved; `CallError`.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html
    """
    client = home(scene.settings.region).functions
    own = _ask(
        scene,
        "GetFunctionConcurrency",
        lambda: client.get_function_concurrency(FunctionName=function),
    )
    if "ReservedConcurrentExecutions" in own:
        return Room(own["ReservedConcurrentExecutions"], is_reserved=True)
    limits = _ask(scene, "GetAccountSettings", client.get_account_settings)["AccountLimit"]
    return Room(limits["UnreservedConcurrentExecutions"])


def _ask(scene: Scene, action: str, send: Callable[[], Any]) -> Any:  # noqa: ANN401 - its answer
    try:
        return scene.pacer.call(action, send)
    except AWS_ERRORS as error:
        raise CallError(action, classify(error)) from error
