//! Keys, networks, queues and event sources of functions.

use insta::assert_snapshot;
use stackgen_cfn::{Node, emit};
use stackgen_synth::{Artifacts, Dialect, ProjectFile, RenderOptions};

use super::{errors, options, render, resource, resources_of_type};

fn yaml(template: &Node, id: &str) -> String {
    emit::yaml(resource(template, id))
}

/// Returns a property of a resource, or an empty text.
fn property(template: &Node, id: &str, name: &str) -> String {
    let value = resource(template, id).at_path(&["Properties", name]);
    value.map(emit::yaml).unwrap_or_default()
}

/// Returns the statements of a role.
fn statements(template: &Node, role: &str) -> String {
    let policies = resource(template, role).at_path(&["Properties", "Policies"]);
    let policy = &policies.and_then(Node::as_list).unwrap()[0];
    emit::yaml(policy.at_path(&["PolicyDocument", "Statement"]).unwrap())
}

const ENCRYPTED: &str = "name: s
encryptionKey: create
queues: { failures: {} }
tables:
  rooms: { partitionKey: { name: id, type: S } }
  cheap: { partitionKey: { name: id, type: S }, encryption: awsOwned }
functions:
  f:
    binary: f
    tables: { rooms: [GetItem], cheap: [GetItem] }
    deadLetter: { queue: failures }
websocket: { name: api, stage: { accessLogs: {} }, routes: { $default: f, job: { queue: failures } } }
";

#[test]
fn one_key_encrypts_everything_of_the_stack() {
    let template = render(ENCRYPTED, "dev");
    assert_snapshot!(yaml(&template, "EncryptionKey"), @"
    Type: AWS::KMS::Key
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      Description: Data of s-dev
      EnableKeyRotation: true
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
          - Sid: Account
            Effect: Allow
            Principal:
              AWS: !Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root'
            Action: kms:*
            Resource: '*'
          - Sid: Logs
            Effect: Allow
            Principal:
              Service: !Sub 'logs.${AWS::Region}.${AWS::URLSuffix}'
            Action:
              - kms:Decrypt*
              - kms:Describe*
              - kms:Encrypt*
              - kms:GenerateDataKey*
              - kms:ReEncrypt*
            Resource: '*'
            Condition:
              ArnEquals:
                kms:EncryptionContext:aws:logs:arn:
                  - !Sub 'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/f-dev'
                  - !Sub 'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/apigateway/api-dev'
    ");
    for (id, name) in [
        ("FLogGroup", "KmsKeyId"),
        ("WebSocketAccessLogGroup", "KmsKeyId"),
        ("FFunction", "KmsKeyArn"),
        ("FailuresQueue", "KmsMasterKeyId"),
    ] {
        let key = property(&template, id, name);
        assert_eq!(key.trim(), "!GetAtt EncryptionKey.Arn", "{id}");
    }
    assert_snapshot!(property(&template, "RoomsTable", "SSESpecification"), @"
    SSEEnabled: true
    SSEType: KMS
    KMSMasterKeyId: !GetAtt EncryptionKey.Arn
    ");
    assert_snapshot!(property(&template, "CheapTable", "SSESpecification"), @"SSEEnabled: false");
}

#[test]
fn roles_can_use_the_key_for_what_they_access() {
    let template = render(ENCRYPTED, "dev");
    assert_snapshot!(statements(&template, "FRole"), @"
    - Effect: Allow
      Action:
        - logs:CreateLogStream
        - logs:PutLogEvents
      Resource:
        - !GetAtt FLogGroup.Arn
    - Effect: Allow
      Action:
        - dynamodb:GetItem
      Resource:
        - !GetAtt CheapTable.Arn
    - Effect: Allow
      Action:
        - dynamodb:GetItem
      Resource:
        - !GetAtt RoomsTable.Arn
    - Effect: Allow
      Action:
        - kms:Decrypt
        - kms:DescribeKey
        - kms:Encrypt
        - kms:GenerateDataKey
      Resource:
        - !GetAtt EncryptionKey.Arn
    - Effect: Allow
      Action:
        - sqs:SendMessage
      Resource:
        - !GetAtt FailuresQueue.Arn
    - Effect: Allow
      Action:
        - kms:Decrypt
        - kms:GenerateDataKey
      Resource:
        - !GetAtt EncryptionKey.Arn
    - Effect: Allow
      Action:
        - kms:Decrypt
      Resource:
        - !GetAtt EncryptionKey.Arn
    ");
    assert_snapshot!(statements(&template, "JobRouteRole"), @"
    - Effect: Allow
      Action:
        - sqs:SendMessage
      Resource:
        - !GetAtt FailuresQueue.Arn
    - Effect: Allow
      Action:
        - kms:Decrypt
        - kms:GenerateDataKey
      Resource:
        - !GetAtt EncryptionKey.Arn
    ");
}

#[test]
fn an_own_key_takes_precedence_over_that_of_the_stack() {
    let text = "name: s
encryptionKey: !ImportValue Key
functions:
  f: { binary: f, kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/1', logs: { kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/2' } }
  g: { binary: g }
";
    let template = render(text, "dev");
    let key = |id: &str, name: &str| property(&template, id, name).trim().to_owned();
    assert_eq!(
        key("FFunction", "KmsKeyArn"),
        "arn:aws:kms:eu-west-1:111122223333:key/1"
    );
    assert_eq!(
        key("FLogGroup", "KmsKeyId"),
        "arn:aws:kms:eu-west-1:111122223333:key/2"
    );
    assert_eq!(key("GFunction", "KmsKeyArn"), "!ImportValue Key");
    assert_eq!(resources_of_type(&template, "AWS::KMS::Key"), []);
}

const ATTACHED: &str = "name: s
functions:
  f:
    binary: f
    vpc: { subnetIds: [subnet-1, !ImportValue Subnet], securityGroupIds: [sg-1] }
    layers: ['arn:aws:lambda:eu-west-1:111122223333:layer:tools:3']
    ephemeralStorage: 1024
    deadLetter: { topic: News }
resources: { News: { Type: AWS::SNS::Topic } }
environments: { dev: {}, prod: {} }
";

#[test]
fn a_function_has_a_vpc_layers_storage_and_a_dead_letter_target() {
    let template = render(ATTACHED, "dev");
    let properties = [
        "VpcConfig",
        "Layers",
        "EphemeralStorage",
        "DeadLetterConfig",
    ];
    let properties = properties.map(|name| property(&template, "FFunction", name));
    assert_snapshot!(properties.concat(), @"
    SecurityGroupIds:
      - sg-1
    SubnetIds:
      - subnet-1
      - !ImportValue Subnet
    - arn:aws:lambda:eu-west-1:111122223333:layer:tools:3
    Size: 1024
    TargetArn: !Ref News
    ");
}

#[test]
fn lambda_attaches_the_function_with_its_role_and_the_function_cannot() {
    assert_snapshot!(statements(&render(ATTACHED, "dev"), "FRole"), @"
    - Effect: Allow
      Action:
        - logs:CreateLogStream
        - logs:PutLogEvents
      Resource:
        - !GetAtt FLogGroup.Arn
    - Effect: Allow
      Action:
        - sns:Publish
      Resource:
        - !Ref News
    - Effect: Allow
      Action:
        - ec2:AssignPrivateIpAddresses
        - ec2:CreateNetworkInterface
        - ec2:DeleteNetworkInterface
        - ec2:UnassignPrivateIpAddresses
      Resource:
        - !Sub 'arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:*/*'
    - Effect: Allow
      Action:
        - ec2:DescribeNetworkInterfaces
        - ec2:DescribeSubnets
      Resource:
        - '*'
    - Effect: Deny
      Action:
        - ec2:AssignPrivateIpAddresses
        - ec2:CreateNetworkInterface
        - ec2:DeleteNetworkInterface
        - ec2:DescribeNetworkInterfaces
        - ec2:DescribeSubnets
        - ec2:UnassignPrivateIpAddresses
      Resource: '*'
      Condition:
        ArnEquals:
          lambda:SourceFunctionArn: !Sub 'arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:f-dev'
    ");
}

#[test]
fn sam_has_another_property_for_dead_letter_targets() {
    let mut sources = stackgen_cfn::Sources::new();
    let file = ProjectFile::load(sources.add("stackgen.yaml", ATTACHED)).unwrap();
    let artifacts = Artifacts::new();
    let options = RenderOptions {
        dialect: Dialect::Sam,
        ..options("dev", &artifacts)
    };
    let template = file.render(&options).unwrap().template;
    assert_snapshot!(property(&template, "FFunction", "DeadLetterQueue"), @"
    Type: SNS
    TargetArn: !Ref News
    ");
    assert_eq!(property(&template, "FFunction", "DeadLetterConfig"), "");
}

#[test]
fn what_a_function_is_attached_to_is_part_of_its_version() {
    let version = |text: &str| {
        let template = render(text, "prod");
        resources_of_type(&template, "AWS::Lambda::Version")[0]
            .0
            .to_owned()
    };
    let before = version(ATTACHED);
    for (old, new) in [("subnet-1", "subnet-2"), (":3'", ":4'"), ("1024", "2048")] {
        assert_ne!(before, version(&ATTACHED.replace(old, new)), "{new}");
    }
}

const SOURCES: &str = "name: s
queues:
  jobs: { deadLetter: { queue: failed-jobs, maxReceives: 3 } }
  failed-jobs: {}
tables:
  rooms: { partitionKey: { name: id, type: S }, stream: newImage }
functions:
  worker:
    binary: worker
    timeout: 20s
    eventSources:
      - { queue: jobs, batchSize: 50, batchingWindow: 2s, reportItemFailures: true, maximumConcurrency: 5 }
      - { table: rooms, retries: 3, filters: [{ eventName: [INSERT] }] }
environments: { dev: {}, prod: {} }
";

#[test]
fn queues_and_tables_invoke_functions() {
    let template = render(SOURCES, "dev");
    assert_snapshot!(yaml(&template, "WorkerJobsEventSource"), @"
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt JobsQueue.Arn
      FunctionName: !GetAtt WorkerFunction.Arn
      BatchSize: 50
      MaximumBatchingWindowInSeconds: 2
      FunctionResponseTypes:
        - ReportBatchItemFailures
      ScalingConfig:
        MaximumConcurrency: 5
    ");
    assert_snapshot!(yaml(&template, "WorkerRoomsTableEventSource"), @r#"
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt RoomsTable.StreamArn
      FunctionName: !GetAtt WorkerFunction.Arn
      StartingPosition: LATEST
      MaximumRetryAttempts: 3
      FilterCriteria:
        Filters:
          - Pattern: '{"eventName":["INSERT"]}'
    "#);
    assert_snapshot!(yaml(&template, "JobsQueue"), @"
    Type: AWS::SQS::Queue
    Properties:
      QueueName: jobs-dev
      MessageRetentionPeriod: 1209600
      VisibilityTimeout: 120
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt FailedJobsQueue.Arn
        maxReceiveCount: 3
      SqsManagedSseEnabled: true
    ");
}

#[test]
fn a_role_can_read_the_event_sources_of_its_function() {
    let template = render(SOURCES, "dev");
    assert_snapshot!(statements(&template, "WorkerRole"), @"
    - Effect: Allow
      Action:
        - logs:CreateLogStream
        - logs:PutLogEvents
      Resource:
        - !GetAtt WorkerLogGroup.Arn
    - Effect: Allow
      Action:
        - sqs:DeleteMessage
        - sqs:GetQueueAttributes
        - sqs:ReceiveMessage
      Resource:
        - !GetAtt JobsQueue.Arn
    - Effect: Allow
      Action:
        - dynamodb:DescribeStream
        - dynamodb:GetRecords
        - dynamodb:GetShardIterator
      Resource:
        - !GetAtt RoomsTable.StreamArn
    - Effect: Allow
      Action:
        - dynamodb:ListStreams
      Resource:
        - !Sub '${RoomsTable.Arn}/stream/*'
    ");
}

#[test]
fn an_event_source_of_a_pinned_environment_invokes_the_published_version() {
    let template = render(SOURCES, "prod");
    let (version, _) = resources_of_type(&template, "AWS::Lambda::Version")[0];
    let function = property(&template, "WorkerJobsEventSource", "FunctionName");
    assert_eq!(function.trim(), format!("!Ref {version}"));
}

#[test]
fn functions_that_post_from_a_vpc_are_named_in_a_notice() {
    let text = "name: s
functions:
  f:
    binary: f
    manageConnections: [POST]
    vpc: { subnetIds: [subnet-1], securityGroupIds: [sg-1] }
websocket: { name: api, routes: { $default: f } }
";
    let rendered = super::load(text)
        .render(&options("dev", &Artifacts::new()))
        .unwrap();
    let notice = rendered
        .notices
        .iter()
        .find(|one| one.code == "vpc-posting");
    let notice = notice.unwrap();
    assert_snapshot!(format!("{}\n{}", notice.message, notice.hint.as_ref().unwrap()), @"
    `f` calls the management API from a VPC: an endpoint of execute-api with private DNS in this VPC would make all calls fail with 403 (row K8)
    give the subnets a route to the internet, such as a NAT gateway, and turn private DNS of such an endpoint off
    ");
}

const WRONG: &str = "name: s
encryptionKey: my-key
queues:
  a: { retention: 15m, deadLetter: { queue: a } }
  b: { retention: 30s, visibilityTimeout: 5s, deadLetter: { queue: c } }
tables: { rooms: { partitionKey: { name: id, type: S } } }
functions:
  f:
    binary: f
    timeout: 10s
    vpc: { subnetIds: [sg-1], securityGroupIds: [] }
    layers: [tools]
    ephemeralStorage: 256
    deadLetter: {}
    kmsKeyArn: alias/mine
    eventSources:
      - { queue: b, retries: 3, batchSize: 20 }
      - { queue: b }
      - { table: rooms, maximumConcurrency: 5 }
      - { table: halls }
      - {}
      - { queue: nowhere }
  g: { binary: g, deadLetterQueue: x, subnetIds: [y], events: {} }
";

#[test]
fn attachments_that_lambda_refuses_are_errors() {
    assert_snapshot!(errors(WRONG), @"
    2:16 `encryptionKey` is neither `create` nor the ARN of a KMS key
        help: it has the form `arn:aws:kms:REGION:ACCOUNT:key/ID`; an intrinsic function such as `!GetAtt Key.Arn` can give it
    4:45 a queue cannot be its own dead-letter queue
        help: declare another queue
    5:19 the retention must be 60 s to 1209600 s in whole seconds, not 30 s
    5:43 the visibility timeout is shorter than the timeout of `f`, which is 10 s
        help: remove it: the default is six times the function's timeout
    5:68 there is no queue `c`
        help: use `a` or `b`
    11:49 `securityGroupIds` is empty: it needs at least one entry
    12:14 `tools` is not the ARN of a layer version
        help: it has the form `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION`
    13:23 `ephemeralStorage` is 256; it must be between 512 and 10240
    14:5 a dead-letter target is one queue or one topic
        help: write `deadLetter: { queue: failures }`
    15:16 `kmsKeyArn` is not the ARN of a KMS key
        help: an alias is not accepted: write the ARN of its key, which `aws kms describe-key --key-id` shows
    16:5 `eventSources` gets the logical ID `FBEventSource`, which is taken
        16:5 taken by this one
        help: rename one of them: logical IDs have only letters and digits, so names that differ only in punctuation collide
    17:9 `retries` applies only to tables
        help: remove it; `deadLetter` of the queue limits how often a message is processed
    17:9 a batch of a queue with more than 10 messages needs `batchingWindow`
        help: add `batchingWindow: 1s`
    18:9 the function reads this queue twice
        help: remove one of the event sources
    19:9 table `rooms` has no stream
        6:11 the table
        help: add `stream: newAndOldImages` to the table
    19:9 `maximumConcurrency` applies only to queues
        help: remove it
    20:9 there is no table `halls`
        help: use `rooms`
    21:9 an event source is one `queue` or one `table`
        help: write `{ queue: jobs }` or `{ table: rooms }`
    22:9 there is no resource `nowhere`
        help: declare an AWS::SQS::Queue `nowhere` under `resources`, or write an ARN
    23:19 unknown key `deadLetterQueue` in `g`
        help: write `deadLetter: { queue: failures }`
    23:39 unknown key `subnetIds` in `g`
        help: write `vpc: { subnetIds: […], securityGroupIds: […] }`
    23:55 unknown key `events` in `g`
        help: write `eventSources: [{ queue: jobs }]`, or `schedule: rate(5 minutes)`
    ");
}

#[test]
fn a_key_is_the_arn_of_a_kms_key_or_an_intrinsic_function() {
    let text = "name: s
encryptionKey: 'arn:aws:kms:eu-west-1:111122223333:alias/data'
tables:
  T: { partitionKey: { name: k, type: S }, kmsKeyArn: 'arn:aws:iam::111122223333:role/data' }
functions:
  f: { binary: f, kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/', logs: { kmsKeyArn: alias/logs } }
  g: { binary: g, kmsKeyArn: 'arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1', logs: { kmsKeyArn: !ImportValue Key } }
websocket: { name: api, routes: { $default: f }, stage: { accessLogs: { kmsKeyArn: key/1 } } }
http:
  name: http
  routes: { GET /: { function: f, auth: none } }
  stage: { accessLogs: { kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/1' } }
";
    assert_snapshot!(errors(text), @"
    2:16 `encryptionKey` is neither `create` nor the ARN of a KMS key
        help: an alias is not accepted: write the ARN of its key, which `aws kms describe-key --key-id` shows
    4:55 `kmsKeyArn` is not the ARN of a KMS key
        help: it has the form `arn:aws:kms:REGION:ACCOUNT:key/ID`; an intrinsic function such as `!GetAtt Key.Arn` can give it
    6:30 `kmsKeyArn` is not the ARN of a KMS key
        help: it has the form `arn:aws:kms:REGION:ACCOUNT:key/ID`; an intrinsic function such as `!GetAtt Key.Arn` can give it
    6:92 `kmsKeyArn` is not the ARN of a KMS key
        help: an alias is not accepted: write the ARN of its key, which `aws kms describe-key --key-id` shows
    8:84 `kmsKeyArn` is not the ARN of a KMS key
        help: it has the form `arn:aws:kms:REGION:ACCOUNT:key/ID`; an intrinsic function such as `!GetAtt Key.Arn` can give it
    ");
}

#[test]
fn the_name_of_a_queue_has_at_most_80_characters_with_its_environment() {
    let text = |length: usize| {
        let queue = "q".repeat(length);
        format!(
            "name: s\nqueues: {{ {queue}: {{}} }}\nenvironments: {{ e2345678901234567890: {{}} }}\n"
        )
    };
    assert_snapshot!(errors(&text(60)), @"2:11 the queue's name with `-e2345678901234567890` has 81 characters; SQS allows 80");
    assert_eq!(errors(&text(59)), "");
}

#[test]
fn a_table_with_encryption_does_not_use_the_key_of_the_stack() {
    let text = "name: s
encryptionKey: create
tables:
  managed: { partitionKey: { name: id, type: S }, encryption: awsManaged }
  owned: { partitionKey: { name: id, type: S }, encryption: awsOwned }
  shared: { partitionKey: { name: id, type: S } }
functions:
  f: { binary: f, tables: { managed: [GetItem], owned: [GetItem] } }
  g: { binary: g, tables: { shared: [GetItem] } }
";
    let template = render(text, "dev");
    let encryption = |table: &str| property(&template, table, "SSESpecification");
    assert_snapshot!(encryption("ManagedTable"), @"SSEEnabled: true");
    assert_snapshot!(encryption("OwnedTable"), @"SSEEnabled: false");
    assert_snapshot!(encryption("SharedTable"), @"
    SSEEnabled: true
    SSEType: KMS
    KMSMasterKeyId: !GetAtt EncryptionKey.Arn
    ");
    // Every role can decrypt its function's environment variables.
    let encrypts = |role: &str| statements(&template, role).contains("kms:Encrypt");
    assert!(!encrypts("FRole") && encrypts("GRole"));
}

#[test]
fn a_dead_letter_target_replaces_that_of_the_defaults_only_with_null() {
    let text = |own: &str| {
        format!(
            "name: s
queues: {{ failures: {{}}, others: {{}} }}
resources: {{ News: {{ Type: AWS::SNS::Topic }} }}
functionDefaults: {{ deadLetter: {{ queue: failures }} }}
functions:
  f: {{ binary: f, deadLetter: {{ {own} }} }}
"
        )
    };
    assert_snapshot!(errors(&text("topic: News")), @"
    6:40 a dead-letter target is one queue or one topic
        4:35 `queue` is set here
        help: add `queue: null`, because `functionDefaults` sets it
    ");
    assert_snapshot!(errors(&text("topic: News, queue: others")), @"
    6:40 a dead-letter target is one queue or one topic
        help: write `deadLetter: { queue: failures }`
    ");
    assert_eq!(errors(&text("topic: News, queue: null")), "");
    assert_eq!(errors(&text("queue: others")), "");
}
