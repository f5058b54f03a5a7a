"""Use Lambda's init phase, which has a full core whatever the function's memory."""

from __future__ import annotations

import gc
import os

from caretaker.aws.places import own_session


def warm_up(*services: str) -> None:
    """Read the API models of these services, then collect garbage as usual; only in Lambda."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    loader = own_session().get_component("data_loader")
    for service in services:
        for kind in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model(service, kind)
    gc.freeze()
    gc.enable()
