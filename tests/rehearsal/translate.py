"""Does what CloudFormation's transform AWS::Serverless does, with AWS's own translator: ministack does not have it.

Then leaves out or rewrites what ministack cannot do, and says each with its reason: nothing is skipped in silence.
"""

import json
import os
import string
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

# The translator asks for a region before it knows the template needs none.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")


class ManagedPolicies:
    """The managed policies that SAM attaches; in AWS the transform asks IAM for this list."""

    def load(self):
        return {"AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}


def adapt(template):
    """Changes a template to what ministack takes; yields a line for each change."""
    resources = template["Resources"]
    for name, resource in list(resources.items()):
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::CloudWatch::Alarm" if "Metrics" in properties:
                del resources[name]
                yield f"left out   {name}: ministack has no alarms over several metrics"
            case "AWS::Lambda::EventSourceMapping":
                parameter = properties["ScalingConfig"]["MaximumConcurrency"]["Ref"]
                properties["ScalingConfig"]["MaximumConcurrency"] = template["Parameters"][parameter]["Default"]
                yield f"rewritten  {name}: ministack takes a number parameter for a text, so its default stands there"
            case "AWS::SecretsManager::Secret":
                properties["GenerateSecretString"]["ExcludeCharacters"] = string.punctuation
                yield f"rewritten  {name}: ministack does not know ExcludePunctuation, so each mark is named"


def main(packaged, translated):
    with open(packaged, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    plain = transform(template, {}, ManagedPolicies())
    plain.pop("Transform", None)
    for change in adapt(plain):
        print(change)
    with open(translated, "w", encoding="utf-8") as file:
        json.dump(plain, file, indent=1)


main(*sys.argv[1:])
