"""Organizations, as far as it tells the tags of an account.

Source: Organizations API reference, "ListTagsForResource": only the management account or a
delegated administrator may ask.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cloud.answers import Answer, ErrorText, render_error
from tests.cloud.refusals import Refusal
from tests.cloud.views import tag_set

if TYPE_CHECKING:
    from tests.cloud.calls import Call
    from tests.cloud.strict import StrictCloud

MANAGEMENT = "management"
DELEGATED = "delegated"
MEMBER = "member"


def list_account_tags(cloud: StrictCloud, call: Call) -> Answer:
    """Answer one ListTagsForResource; its pages are as large as the cloud's."""
    extras, asked = cloud.extras, str(call.params.get("ResourceId") or "")
    role = extras.organization_roles.get(call.account)
    if role is None:
        code = "AWSOrganizationsNotInUseException"
        return _refused(call, code, "Your account is not a member of an organization.")
    if role == MEMBER:
        message = "You don't have permissions to access this resource."
        return _refused(call, "AccessDeniedException", message)
    tags = extras.account_tags.get(asked)
    if tags is None:
        return _refused(call, "TargetNotFoundException", "There is no such target.")
    token = call.params.get("NextToken") or None
    try:
        page, following = cloud.pages.cut_keys(call.operation, tags.keys(), None, token)
    except Refusal:
        return _refused(call, "InvalidInputException", "INVALID_PAGINATION_TOKEN")
    answer: dict[str, object] = {"Tags": tag_set({key: tags[key] for key in page})}
    body = json.dumps(answer | ({"NextToken": following} if following else {}))
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, body


def _refused(call: Call, code: str, message: str) -> Answer:
    return render_error(call, ErrorText(400, code, message))
