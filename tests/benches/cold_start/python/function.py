"""A thin function with AWS's SDK for Python, to put beside `evaluate`: one GetItem, one PutItem, one SendMessage for
each record. It speaks Lambda's Runtime API by itself, which is lighter than AWS's own client."""

import http.client
import json
import os

import boto3

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")
TABLE = os.environ["DUNLIN_PREFIX"] + "profiles"
QUEUE = f"{os.environ['DUNLIN_QUEUES']}/{os.environ['DUNLIN_PREFIX']}sends-dead"

runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def ask(method, path, body=None):
    runtime.request(method, f"/2018-06-01/runtime/{path}", body)
    answer = runtime.getresponse()
    return answer.headers, answer.read()


def one(record):
    call = json.loads(record["body"])["calls"][0]
    key = {"pk": {"S": f"thin/{call['project']}/{call['user']}"}, "sk": {"S": "profile"}}
    known = dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
    version = int(known["version"]["N"]) if known else 0
    profile = {**(json.loads(known["profile"]["S"]) if known else {}), "last": call}
    dynamodb.put_item(
        TableName=TABLE,
        Item={**key, "version": {"N": str(version + 1)}, "profile": {"S": json.dumps(profile)}},
        ConditionExpression="attribute_not_exists(version) OR version = :version",
        ExpressionAttributeValues={":version": {"N": str(version)}},
    )
    sqs.send_message(QueueUrl=QUEUE, MessageBody=json.dumps({"v": 1, "call": call}))


def handle(event):
    for record in event["Records"]:
        one(record)
    return {"batchItemFailures": []}


dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "-"}, "sk": {"S": "-"}})
sqs.get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["QueueArn"])

while True:
    headers, event = ask("GET", "invocation/next")
    path = f"invocation/{headers['lambda-runtime-aws-request-id']}"
    try:
        ask("POST", f"{path}/response", json.dumps(handle(json.loads(event))))
    except Exception as error:
        ask("POST", f"{path}/error", json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}))
