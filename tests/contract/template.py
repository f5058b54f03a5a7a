"""The template as CloudFormation sees it: expanded by SAM, and read as plain data.

Intrinsic functions stay as they are, such as `{"Ref": "StateTable"}`. SAM puts the defaults of
parameters in place of references to them inside its own resource types, and only there.
"""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
TEMPLATE: Final = ROOT / "template.yaml"
EXTRA_POLICY: Final = ROOT / "docs" / "examples" / "extra-policy.yaml"
EXTRA_TAGGING: Final = ROOT / "docs" / "examples" / "tagging-policy.yaml"
EXTRA_FLEET: Final = ROOT / "docs" / "examples" / "fleet.yaml"
TEMPLATES: Final = (TEMPLATE, EXTRA_POLICY, EXTRA_TAGGING, EXTRA_FLEET)
NO_VALUE: Final = {"Ref": "AWS::NoValue"}

_CLOUD_PYTHON: Final = ROOT / ".venvs" / "cloud" / "bin" / "python"
_LOCAL: Final = frozenset({"CodeUri", "ContentUri", "DefinitionUri"})
_EXPAND: Final = Path(__file__).with_name("expand_template.py")

type Properties = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, such as `!Ref`."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Properties:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        assert isinstance(node, yaml.SequenceNode)
        value = loader.construct_sequence(node, deep=True)
    if suffix == "GetAtt":
        value = str(value).split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


@cache
def written(path: Path = TEMPLATE) -> Properties:
    """Return a template as it is written, with short forms in their long form."""
    loaded: Properties = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - safe
    return loaded


@cache
def expanded() -> Properties:
    """Return template.yaml as CloudFormation gets it, with SAM's resource types expanded."""
    done = subprocess.run(
        [_CLOUD_PYTHON, _EXPAND],
        input=json.dumps(_packaged(written())),
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    template: Properties = json.loads(done.stdout)
    return template


def _packaged(template: Properties) -> Properties:
    """Return the template with code where `sam deploy` puts it: folders cannot be expanded."""
    copy: Properties = json.loads(json.dumps(template))
    for resource in copy["Resources"].values():
        for key in _LOCAL & resource.get("Properties", {}).keys():
            resource["Properties"][key] = "s3://packaged/code"
    return copy


def template_of(path: Path) -> Properties:
    """Return a template as CloudFormation gets it: only template.yaml needs SAM."""
    return expanded() if path == TEMPLATE else written(path)


def resources(kind: str) -> dict[str, Properties]:
    """Return the expanded resources of one type, by logical id."""
    return {id_: r for id_, r in expanded()["Resources"].items() if r["Type"] == kind}


def properties(kind: str) -> dict[str, Properties]:
    """Return the properties of the expanded resources of one type, by logical id."""
    return {id_: r.get("Properties", {}) for id_, r in resources(kind).items()}


def functions() -> dict[str, Properties]:
    """Return the properties of every function, by logical id."""
    return properties("AWS::Lambda::Function")


def as_list(value: object) -> list[Any]:
    """Return a value that may stand alone or in a list as a list."""
    return value if isinstance(value, list) else [value]


def branches(value: object) -> list[Any]:
    """Return what an `Fn::If` may come to, without `AWS::NoValue`; any other value alone."""
    if isinstance(value, dict) and value.keys() == {"Fn::If"}:
        _, then, otherwise = value["Fn::If"]
        return [*branches(then), *branches(otherwise)]
    return [] if value == NO_VALUE else [value]


def function_of(chore: str) -> str:
    """Return the logical id of a chore's function."""
    return f"{chore.title().replace('_', '')}Function"


def chore_of(function_logical_id: str) -> str:
    """Return the name of a function's chore, which its folder has as well."""
    source = written()["Resources"][function_logical_id]["Properties"]["CodeUri"]
    return str(source).rpartition("/")[2]


def role_of(function_logical_id: str) -> str:
    """Return the logical id of a function's role."""
    role, attribute = functions()[function_logical_id]["Role"]["Fn::GetAtt"]
    assert attribute == "Arn"
    return str(role)


def statements(role_logical_id: str, template: Properties | None = None) -> list[Properties]:
    """Return all statements that a role may have, with every optional feature switched on.

    Given a template from `deployed`, those that the role has with that template's parameters.
    """
    made = (template or expanded())["Resources"]
    role = made[role_logical_id]["Properties"]
    own = [policy for each in role.get("Policies", []) for policy in branches(each)]
    shared = [made[ref["Ref"]]["Properties"] for ref in role.get("ManagedPolicyArns", [])]
    apart = [
        resource["Properties"]
        for resource in made.values()
        if resource["Type"] == "AWS::IAM::Policy"
        and {"Ref": role_logical_id} in resource["Properties"]["Roles"]
    ]
    return [
        statement
        for policy in [*own, *shared, *apart]
        for entry in policy["PolicyDocument"]["Statement"]
        for statement in branches(entry)
    ]


def deployed(**parameters: str | float) -> Properties:
    """Return the template that CloudFormation would deploy with these parameters.

    The others have their defaults, and the fleet, which is off by default, is there. What a
    condition leaves out is gone, and `Fn::If` is decided; other intrinsic functions stay.
    """
    template = expanded()
    values = {name: each["Default"] for name, each in template["Parameters"].items()}
    values["FleetMode"] = "act"
    assert parameters.keys() <= values.keys()
    values |= parameters
    conditions = template["Conditions"]
    truths = {name: _true(each, conditions, values) for name, each in conditions.items()}
    decided: Properties = _decided(template, truths)
    return decided


def _true(condition: Properties, conditions: Properties, values: Properties) -> bool:
    ((kind, inner),) = condition.items()
    match kind:
        case "Condition":
            return _true(conditions[inner], conditions, values)
        case "Fn::Not":
            return not _true(inner[0], conditions, values)
        case "Fn::And":
            return all(_true(each, conditions, values) for each in inner)
        case "Fn::Or":
            return any(_true(each, conditions, values) for each in inner)
        case _:
            assert kind == "Fn::Equals", kind
            left, right = (_operand(each, values) for each in inner)
            return left == right


def _operand(operand: Any, values: Properties) -> str:
    """Return what a side of an `Fn::Equals` comes to; joined is only a list of a parameter."""
    if isinstance(operand, dict) and "Fn::Join" in operand:
        separator, listed = operand["Fn::Join"]
        return str(separator.join(_operand(listed, values).split(",")))
    return str(values[operand["Ref"]] if isinstance(operand, dict) else operand)


def _decided(value: Any, truths: dict[str, bool]) -> Any:
    if isinstance(value, list):
        return [each for inner in value if (each := _decided(inner, truths)) != NO_VALUE]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::If"}:
        name, then, otherwise = value["Fn::If"]
        return _decided(then if truths[name] else otherwise, truths)
    kept = {
        key: _decided(inner, truths)
        for key, inner in value.items()
        if not (isinstance(inner, dict) and truths.get(str(inner.get("Condition"))) is False)
    }
    return {key: inner for key, inner in kept.items() if inner != NO_VALUE}


def allowed_actions(function_logical_id: str) -> set[str]:
    """Return every action that a function's role may allow, such as `ec2:DescribeVolumes`.

    Actions that depend on a parameter (tracing, a target role) count as allowed.
    """
    return {
        action
        for statement in statements(role_of(function_logical_id))
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
    }


def environment(function_logical_id: str) -> dict[str, Any]:
    """Return a function's environment variables."""
    variables: dict[str, Any] = functions()[function_logical_id]["Environment"]["Variables"]
    return variables


def texts(value: object) -> Iterator[str]:
    """Yield every text inside a value, keys included."""
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield from texts(key)
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)
        case _:
            return


def with_values(value: object, template: Properties, **values: str) -> str:
    """Return a text or an `Fn::Sub` with parameters put in: defaults where no value is given."""
    known = {name: str(each["Default"]) for name, each in template["Parameters"].items()} | values
    text = value["Fn::Sub"] if isinstance(value, dict) else value
    if isinstance(text, list):
        text, named = text
        known |= {name: _variable(each, template, known) for name, each in named.items()}
    return _filled(text, known)


def _filled(text: object, known: Properties) -> str:
    return re.sub(r"\$\{(\w+)}", lambda match: known[match[1]], str(text))


def _variable(value: Any, template: Properties, known: Properties) -> str:
    if isinstance(value, dict) and "Fn::If" in value:
        name, then, otherwise = value["Fn::If"]
        conditions = template["Conditions"]
        chosen = then if _true(conditions[name], conditions, known) else otherwise
        return _variable(chosen, template, known)
    if isinstance(value, dict) and "Fn::Sub" in value:
        return with_values(value, template, **known)
    return _operand(value, known)
