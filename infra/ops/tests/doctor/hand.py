"""Makes calls to AWS as they come, one JSON line each: service, call, arguments. Answers with a line each."""

import json
import sys

import boto3
from botocore.config import Config

clients = {}
for line in sys.stdin:
    service, call, arguments = json.loads(line)
    if service not in clients:
        # What AWS would refuse is to be made, too.
        clients[service] = boto3.client(service, config=Config(parameter_validation=False))
    for name, value in arguments.items():
        if isinstance(value, dict) and value.keys() == {"bytes"}:
            arguments[name] = bytes.fromhex(value["bytes"])
    try:
        answer = getattr(clients[service], call)(**arguments)
        answer.pop("ResponseMetadata", None)
        print(json.dumps({"ok": answer}, default=str), flush=True)
    except Exception as error:
        print(json.dumps({"error": f"{service}.{call}: {error}"}), flush=True)
