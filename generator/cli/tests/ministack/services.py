#!/usr/bin/env python3
"""Creates queues, a topic, an event rule, a stream and a state machine in an emulator, and prints what they received."""

import argparse
import json

import boto3

ACCOUNT = "000000000000"


class Account:
    def __init__(self, endpoint):
        session = boto3.Session(ACCOUNT, "secret", region_name="us-east-1")
        self.client = lambda service: session.client(service, endpoint_url=endpoint)

    def create(self):
        """The queue gets what is published to the topic and what the event bus receives."""
        self.client("sqs").create_queue(QueueName="notes")
        queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:notes"
        sns, events = self.client("sns"), self.client("events")
        topic = sns.create_topic(Name="notes")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
        events.put_rule(Name="notes", EventPattern=json.dumps({"source": ["app"]}))
        events.put_targets(Rule="notes", Targets=[{"Id": "queue", "Arn": queue, "InputPath": "$.detail"}])
        self.client("kinesis").create_stream(StreamName="notes", ShardCount=1)
        machine = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
        self.client("stepfunctions").create_state_machine(
            name="notes", definition=json.dumps(machine), roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine"
        )

    def received(self, count):
        """Prints messages of the queue, records of the stream, and the inputs of the state machine's executions."""
        sqs, states = self.client("sqs"), self.client("stepfunctions")
        url = sqs.get_queue_url(QueueName="notes")["QueueUrl"]
        bodies = []
        while len(bodies) < count:
            answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                break
            bodies += [message["Body"] for message in messages]
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        machine = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:notes"
        executions = states.list_executions(stateMachineArn=machine)["executions"]
        inputs = [states.describe_execution(executionArn=one["executionArn"])["input"] for one in executions]
        print(json.dumps({"messages": sorted(bodies), "inputs": sorted(inputs), "records": self.records()}))

    def records(self):
        """Returns the records of the stream."""
        kinesis = self.client("kinesis")
        shard = kinesis.list_shards(StreamName="notes")["Shards"][0]["ShardId"]
        iterator = kinesis.get_shard_iterator(StreamName="notes", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        records = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
        return [record["Data"].decode() for record in records]

    def create_queue(self, name, visible_after):
        self.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": visible_after})

    def count(self, name):
        """Prints the number of messages of a queue, with those that are being processed."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        print(int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"]))

    def call(self, service, operation, parameters):
        """Calls an operation, and prints the answer."""
        answer = getattr(self.client(service), operation)(**json.loads(parameters))
        print(json.dumps(answer, default=str))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("create")
    commands.add_parser("received").add_argument("count", type=int)
    queue = commands.add_parser("create-queue")
    queue.add_argument("name")
    queue.add_argument("--visible-after", default="30", metavar="SECONDS")
    commands.add_parser("count").add_argument("name")
    call = commands.add_parser("call")
    for argument in ("service", "operation", "parameters"):
        call.add_argument(argument)
    arguments = vars(parser.parse_args())
    account = Account(arguments.pop("endpoint"))
    getattr(account, arguments.pop("command").replace("-", "_"))(**arguments)


if __name__ == "__main__":
    main()
