"""Mends ministack's Distributed Maps, its retries and StartExecution; see `ministack_launcher`.

Run by ministack's own Python. What AWS does and ministack does not: a Map takes its concurrency
from a path, writes how its children ended to S3 and answers where; a child knows itself as the
execution; a payload has at most 256 KiB; `States.ALL` misses two errors; a retry waits no longer
than its longest delay (and without jitter, so that tests are alike); the same name and input while
it runs is the same execution; the limit of Lambda is 1,000, and who reads reserved concurrency
needs the right to read it; for a policy the principal of a session is its role. Sources: Step
Functions developer guide, "ResultWriter (Map)", "Map state in
Distributed mode", "Handling errors", "Quotas"; API reference,
"StartExecution"; IAM user guide, "AWS global condition context keys".

What tests turn stands in the file that CARETAKER_KNOBS names: `retry_scale` shortens the waits of
retries, `lambda_limit` is what GetAccountSettings tells.
"""

# ruff: noqa: SLF001 - mending somebody else's program means reaching into it

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import lambda_svc, s3, stepfunctions

_run_map = stepfunctions._run_distributed_map
_run_states = stepfunctions._run_sub_machine
_invoke = stepfunctions._invoke_resource
_matches = stepfunctions._error_matches
_find_retrier = stepfunctions._find_matching_retrier
_start = stepfunctions._start_execution
_account_settings = lambda_svc._get_account_settings
_action = iam_actions._lambda_action
_resolve_condition = iam_evaluator._resolve_condition_key

MAX_PAYLOAD_BYTES = 262_144
ORGANIZATION = "o-a1b2c3d4e5"
"""Every account's, as the strict server tells it (`organization_tree.ID`)."""
NEVER_IN_ALL = frozenset({"States.DataLimitExceeded", "States.Runtime"})
BY_PATH = ("MaxConcurrency", "ToleratedFailurePercentage", "ToleratedFailureCount")
_PLAIN = {"ResultSelector": None, "ResultPath": "$", "OutputPath": "$"}


def knob(name: str, usual: float) -> float:
    """Return what tests have set, or what is usual."""
    path = os.environ.get("CARETAKER_KNOBS", "")
    if not path or not Path(path).exists():
        return usual
    return float(json.loads(Path(path).read_text(encoding="utf-8")).get(name, usual))


def _distributed(
    state: dict[str, Any], raw: Any, effective: Any, iterator: Any, execution: Any, ctx: Any
) -> Any:
    plain = {**state, **_PLAIN}
    for name in BY_PATH:
        path = plain.pop(f"{name}Path", None)
        if path is not None:
            plain[name] = stepfunctions._resolve_path_or_ctx(path, effective, ctx)
    before = set(stepfunctions._map_runs)
    try:
        results, following = _run_map(plain, raw, effective, iterator, execution, ctx)
    except stepfunctions._ExecutionError:
        for run in _new_runs(before, execution):
            _written(state, run, effective, ctx)
        raise
    (run,) = _new_runs(before, execution)
    if state.get("ResultWriter"):
        results = _written(state, run, effective, ctx)
    result = stepfunctions._apply_result_selector(state, results)
    output = stepfunctions._apply_result_path(state, raw, result)
    return stepfunctions._apply_output_path(state, output, ctx), following


def _new_runs(before: set[str], execution: dict[str, Any]) -> list[str]:
    runs = dict(stepfunctions._map_runs)
    mine = execution["executionArn"]
    return [arn for arn, run in runs.items() if arn not in before and run["executionArn"] == mine]


def _written(state: dict[str, Any], map_run: str, effective: Any, ctx: Any) -> dict[str, Any]:
    """Write how the children ended, and return where that is told."""
    writer = state.get("ResultWriter")
    if not writer:
        return {}
    place = stepfunctions._resolve_params_obj(writer.get("Parameters", {}), effective, ctx)
    folder = "/".join(filter(None, (place.get("Prefix"), map_run.rpartition(":")[2])))
    is_express = _processor(state).get("ExecutionType") == "EXPRESS"
    ended: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for child in list(stepfunctions._executions.values()):
        if child.get("mapRunArn") == map_run:
            ended[child["status"]].append(_told(child, map_run, is_express=is_express))
    files: dict[str, list[dict[str, Any]]] = {status: [] for status in ended}
    for status, children in ended.items():
        if children:
            key = f"{folder}/{status}_0.json"
            files[status].append({"Key": key, "Size": _put(place["Bucket"], key, children)})
    bucket, key = place["Bucket"], f"{folder}/manifest.json"
    manifest = {"DestinationBucket": bucket, "MapRunArn": map_run, "ResultFiles": files}
    _put(bucket, key, manifest)
    return {"MapRunArn": map_run, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def _processor(state: dict[str, Any]) -> dict[str, Any]:
    iterator = state.get("ItemProcessor") or state.get("Iterator") or {}
    return dict(iterator.get("ProcessorConfig") or {})


def _told(child: dict[str, Any], map_run: str, *, is_express: bool) -> dict[str, Any]:
    arn = child["executionArn"]
    if is_express:
        named, _, own = arn.rpartition(":")
        within = named.replace(":execution:", ":express:")
        arn = f"{within}:{map_run.rpartition(':')[2]}:{own}"
    failed = child["status"] == "FAILED"
    told = {
        "ExecutionArn": arn,
        "Input": child["input"],
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "REDRIVABLE" if failed and not is_express else "NOT_REDRIVABLE",
        "StartDate": child["startDate"],
        "StateMachineArn": child["stateMachineArn"],
        "Status": child["status"],
        "StopDate": child["stopDate"],
    }
    if not failed:
        return {**told, "Output": child["output"]}
    return {**told, "Error": child["error"], "Cause": child["cause"]}


def _put(bucket: str, key: str, document: Any) -> int:
    body = json.dumps(document).encode()
    status, *_ = s3._put_object(bucket, key, body, {"content-type": "application/json"})
    if status != 200:
        cause = f"The object could not be written (Bucket: {bucket}, Key: {key})"
        raise stepfunctions._ExecutionError("States.ResultWriterFailed", cause)
    return len(body)


def _states(states: Any, start_at: Any, given: Any, execution: dict[str, Any], ctx: Any) -> Any:
    """Let a child of a Map know itself as the execution, and nothing of the Map."""
    if execution.get("mapRunArn"):
        own = {"Id": execution["executionArn"], "Input": given, "Name": execution["name"]}
        own["StartTime"] = execution["startDate"]
        ctx = {key: value for key, value in ctx.items() if key != "Map"} | {"Execution": own}
    return _run_states(states, start_at, given, execution, ctx)


def _within_limits(resource: str, given: Any) -> Any:
    _check_size(given)
    result = _invoke(resource, given)
    _check_size(result)
    return result


def _check_size(payload: Any) -> None:
    if len(json.dumps(payload)) > MAX_PAYLOAD_BYTES:
        cause = "The state/task returned a result with a size exceeding the maximum number of bytes"
        raise stepfunctions._ExecutionError("States.DataLimitExceeded", cause)


def _matching(wanted: list[str], error: str) -> bool:
    if error in NEVER_IN_ALL:
        return error in wanted
    return bool(_matches(wanted, error))


def _retrier(retriers: Any, error: str, counts: dict[int, int]) -> Any:
    """Return the retrier with the wait of this attempt as its interval."""
    found, index = _find_retrier(retriers, error, counts)
    if found is None:
        return found, index
    wait = found.get("IntervalSeconds", 1) * found.get("BackoffRate", 2.0) ** counts.get(index, 0)
    wait = min(wait, found.get("MaxDelaySeconds", wait)) * knob("retry_scale", 1)
    return {**found, "IntervalSeconds": wait, "BackoffRate": 1}, index


def _started(data: dict[str, Any]) -> Any:
    machine = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
    asked = machine, data.get("name"), data.get("input", "{}")
    for each in list(stepfunctions._executions.values()):
        found = each["stateMachineArn"], each["name"], each["input"]
        if found == asked and each["status"] == "RUNNING":
            told = {"executionArn": each["executionArn"], "startDate": each["startDate"]}
            return stepfunctions.json_response(told)
    return _start(data)


def _settings() -> Any:
    status, headers, body = _account_settings()
    told = json.loads(body)
    limits, known = told["AccountLimit"], knob("lambda_limit", 1_000)
    reserved = limits["ConcurrentExecutions"] - limits["UnreservedConcurrentExecutions"]
    limits["ConcurrentExecutions"] = int(known)
    limits["UnreservedConcurrentExecutions"] = int(known) - reserved
    return status, headers, json.dumps(told).encode()


def _named(method: str, path: str) -> Any:
    """Return the IAM action of a call to Lambda."""
    verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}.get(method, "")
    if path.rstrip("/").endswith("/account-settings"):
        return "GetAccountSettings"
    return f"{verb}FunctionConcurrency" if path.endswith("/concurrency") else _action(method, path)


def _condition(key: str, ctx: Any) -> Any:
    """Return what a policy may ask of: the principal of a session is its role."""
    found = _resolve_condition(key, ctx)
    if key.lower() != "aws:principalarn" or ":assumed-role/" not in found:
        return found
    role = found.replace(":sts:", ":iam:").replace(":assumed-role/", ":role/")
    return role.rpartition("/")[0]


def mend() -> None:
    """Put all of it in the place of ministack's own."""
    stepfunctions._run_distributed_map = _distributed
    stepfunctions._run_sub_machine = _states
    stepfunctions._invoke_resource = _within_limits
    stepfunctions._error_matches = _matching
    stepfunctions._find_matching_retrier = _retrier
    stepfunctions._start_execution = _started
    lambda_svc._get_account_settings = _settings
    iam_actions._lambda_action = _named
    iam_evaluator._resolve_condition_key = _condition
    iam_evaluator._principal_org_id = lambda _: ORGANIZATION
