"""Prints, as JSON, a template as it is written, and what SAM makes of it or why it refuses. Asks nobody: what would be
looked up in IAM is an error.

    python3 translate.py template.yaml
"""

import copy
import json
import sys

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NobodyIsAsked:
    """In place of the list of an account's managed policies."""

    def load(self):
        raise LookupError("the ARN of a managed policy would be looked up in IAM")


def packaged(template):
    """The template as a deployment hands it in: the programs are in a bucket."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://the-bucket/the-program"
    return template


with open(sys.argv[1], encoding="utf-8") as file:
    written = yaml_parse(file.read())
printed = {"written": written, "translated": None, "refused": None}
try:
    printed["translated"] = transform(packaged(written), {}, NobodyIsAsked())
except InvalidDocumentException as error:
    printed["refused"] = "\n".join(cause.message for cause in error.causes)
except LookupError as error:
    printed["refused"] = str(error)
json.dump(printed, sys.stdout, default=str)
