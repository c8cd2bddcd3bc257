"""Judges requests by policies, with the evaluator of MiniStack: of each whether it is allowed."""

import json
import sys

from ministack.core.iam_evaluator import EvalContext, combine_resource_policy, evaluate, parse_policy_document

asked = json.load(sys.stdin)
account = asked["account"]
for request in asked["requests"]:
    who, resource = asked["principals"][request["who"]], asked["resources"][request["on"]]
    context = EvalContext(
        principal_arn=who["arn"],
        principal_type="AssumedRole",
        principal_account=account,
        action=request["action"],
        resource_arn=resource["arn"],
        region="eu-west-1",
        secure_transport=request["with"].get("aws:SecureTransport", "true") == "true",
        service_context={key.lower(): value for key, value in request["with"].items()},
    )
    result = evaluate(context, [parse_policy_document(policy) for policy in who["policies"]])
    if resource.get("policy"):
        is_key = request["action"].startswith("kms:")
        result = combine_resource_policy(result, context, resource["policy"], account, required=is_key)
    print(result.decision == "Allow")
