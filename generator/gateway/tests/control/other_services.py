"""Calls services at an endpoint, and prints what their exceptions say: [[service, code, message, status, retries], …]."""

import json
import sys

import boto3
from botocore.exceptions import ClientError

CALLS = [
    ("sqs", "send_message", {"QueueUrl": "http://127.0.0.1/1/queue", "MessageBody": "hi"}),
    ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:1:topic", "Message": "hi"}),
    ("s3", "put_object", {"Bucket": "bucket", "Key": "key", "Body": b"x" * 300_000}),
    ("s3", "list_objects_v2", {"Bucket": "bucket"}),
    ("stepfunctions", "start_execution", {"stateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:m"}),
    ("events", "put_events", {"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}]}),
    ("kinesis", "put_record", {"StreamName": "s", "Data": b"hi", "PartitionKey": "k"}),
    ("ses", "send_email", {"Source": "a@example.com", "Destination": {}, "Message": {"Subject": {"Data": ""}, "Body": {}}}),
    ("sesv2", "get_account", {}),
    ("secretsmanager", "get_secret_value", {"SecretId": "secret"}),
    ("ssm", "get_parameter", {"Name": "parameter"}),
    ("bedrock-runtime", "invoke_model", {"modelId": "m", "body": b"{}"}),
    ("cloudwatch", "list_metrics", {}),
    ("ec2", "describe_regions", {}),
    ("cloudfront", "list_distributions", {}),
]

session = boto3.Session("ANY", "secret", region_name="us-east-1")
results = []
for service, operation, arguments in CALLS:
    client = session.client(service, endpoint_url=sys.argv[1])
    try:
        getattr(client, operation)(**arguments)
        results.append([service, "", "no exception", 200, 0])
    except ClientError as error:
        metadata = error.response["ResponseMetadata"]
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        results.append([service, code, message, metadata["HTTPStatusCode"], metadata["RetryAttempts"]])
json.dump(results, sys.stdout)
