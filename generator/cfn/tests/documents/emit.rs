//! Written documents as text.

use insta::assert_snapshot;
use stackgen_cfn::{Intrinsic, IntrinsicCall, Node, Value, emit, list, map};

use crate::read;

/// A template in the style of a person, with notations that the writer does not use.
const TEMPLATE: &str = r##"
AWSTemplateFormatVersion: 2010-09-09
Conditions: {IsProd: !Not [!Equals [!Ref Env, '']]}
Resources:
    Function:
        Type: AWS::Lambda::Function
        DependsOn: [A, B]
        Properties:
            Name: {"Fn::Sub": "${AWS::StackName}-x"}
            Role: {"Fn::GetAtt": [Role, Arn]}
            Version: {"Fn::GetAtt": ["A.B", C]}
            UserData: {Fn::Base64: {Fn::Sub: "#!/bin/sh\necho ${A}\n\nexit\n"}}
            Uri: !Sub ["wss://${Api}.execute-api.${AWS::Region}.${Suffix}/${Stage}", {Api: !Ref Api, Suffix: !Ref AWS::URLSuffix}]
            Arn: !Join ['', ['arn:', !Ref AWS::Partition, ':lambda:', !Ref AWS::Region, ':', !Ref AWS::AccountId, ':function:x']]
            Deep: !Join ['', [a, !Select [0, !Split ['-', x]]]]
            Kms: !If [IsProd, !GetAtt Key.Arn, !Ref AWS::NoValue]
            Policy: !If
              - IsProd
              - {Effect: Allow, Action: '*', Resource: [a, !Sub 'b:${C}']}
              - !Ref AWS::NoValue
            Matrix: [[a, b], [], [{c: d, e: {}}]]
            Zones: !GetAZs ''
            Zero: !Select [0, !GetAZs ""]
            Import: {Fn::ImportValue: 12}
            Macro: !Transform {Name: X, Parameters: {a: b}}
"##;

#[test]
fn a_template_as_text() {
    assert_snapshot!(emit::yaml(&read(TEMPLATE)), @"
    AWSTemplateFormatVersion: '2010-09-09'
    Conditions:
      IsProd: !Not [!Equals [!Ref Env, '']]
    Resources:
      Function:
        Type: AWS::Lambda::Function
        DependsOn:
          - A
          - B
        Properties:
          Name: !Sub '${AWS::StackName}-x'
          Role: !GetAtt Role.Arn
          Version: !GetAtt [A.B, C]
          UserData:
            Fn::Base64: !Sub |
              #!/bin/sh
              echo ${A}

              exit
          Uri: !Sub
            - 'wss://${Api}.execute-api.${AWS::Region}.${Suffix}/${Stage}'
            - Api: !Ref Api
              Suffix: !Ref AWS::URLSuffix
          Arn: !Join
            - ''
            - - 'arn:'
              - !Ref AWS::Partition
              - ':lambda:'
              - !Ref AWS::Region
              - ':'
              - !Ref AWS::AccountId
              - ':function:x'
          Deep: !Join
            - ''
            - - a
              - !Select [0, !Split ['-', x]]
          Kms: !If [IsProd, !GetAtt Key.Arn, !Ref 'AWS::NoValue']
          Policy: !If
            - IsProd
            - Effect: Allow
              Action: '*'
              Resource:
                - a
                - !Sub 'b:${C}'
            - !Ref AWS::NoValue
          Matrix:
            - - a
              - b
            - []
            - - c: d
                e: {}
          Zones: !GetAZs ''
          Zero: !Select [0, !GetAZs '']
          Import:
            Fn::ImportValue: 12
          Macro: !Transform
            Name: X
            Parameters:
              a: b
    ");
}

/// Texts that need no quotes, one per line.
const PLAIN: &str = "plain
two words
a:b
arn:aws:s3:::x
https://a/b?c=d
nodejs22.x
10.0.0.0/16
a, b
it's
é
$request.body.action
(a)
1st
a-b_c.d";

/// Texts that need quotes, one per line.
const QUOTED: &str = " a
on
y
NULL
12
-1
+1
.5
1:30
1_000
2010-09-09
1e3
0x1F
- a
a: b
a #b
#a
a:
*
${A}
[a]
<<
=
~
@a
%a
!a
&a
|
>
?
---
...
";

#[test]
fn text_that_every_parser_reads_as_itself_is_plain() {
    for text in PLAIN.lines() {
        assert_eq!(emit::yaml(&text.into()), format!("{text}\n"));
    }
}

#[test]
fn text_that_some_parser_reads_differently_is_quoted() {
    for text in QUOTED.split('\n') {
        assert_eq!(emit::yaml(&text.into()), format!("'{text}'\n"));
    }
}

#[test]
fn quotes_double_and_control_characters_are_escaped() {
    let texts = [
        "'a'",
        "a\tb",
        "a\rb",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{7}é\"\\",
    ];
    assert_snapshot!(emit::yaml(&list(texts)), @r#"
    - '''a'''
    - "a\tb"
    - "a\rb"
    - "\x85"
    - "\u2028"
    - "\uFEFF"
    - "\x07é\"\\"
    "#);
}

#[test]
fn numbers_keep_their_type() {
    let floats =
        [1.0, -0.5, 1e20, 1.5e-7, 100_000.0, f64::MAX].map(|value| Node::new(Value::Float(value)));
    assert_snapshot!(emit::yaml(&list(floats)), @"
    - 1.0
    - -0.5
    - 1.0e+20
    - 1.5e-7
    - 100000.0
    - 1.7976931348623157e+308
    ");
    assert_snapshot!(emit::yaml(&list([i64::MIN, 0])), @"
    - -9223372036854775808
    - 0
    ");
}

#[test]
fn text_of_several_lines_is_a_block_if_a_block_preserves_it() {
    let node = map([
        "a\nb",
        "a\nb\n",
        "a\n\n  b\n",
        "a\nb\n\n",
        " a\nb",
        "\na",
        "a\r\nb",
        "a\n \nb",
        "a\n\tb",
        "a\n",
    ]
    .map(|text| (format!("{text:?}"), text.into())));
    assert_snapshot!(emit::yaml(&node), @r#"
    '"a\nb"': |-
      a
      b
    '"a\nb\n"': |
      a
      b
    '"a\n\n  b\n"': |
      a

        b
    '"a\nb\n\n"': "a\nb\n\n"
    '" a\nb"': " a\nb"
    '"\na"': "\na"
    '"a\r\nb"': "a\r\nb"
    '"a\n \nb"': "a\n \nb"
    '"a\n\tb"': "a\n\tb"
    '"a\n"': "a\n"
    "#);
    assert_snapshot!(emit::yaml(&"a\nb".into()), @r#"
    "a\nb"
    "#);
}

#[test]
fn every_kind_of_root_is_written() {
    let call = |argument| Node::from(IntrinsicCall::new(Intrinsic::Join, argument));
    let roots = [
        Node::default(),
        map::<&str>([]),
        list::<Node>([]),
        call(list([" "; 60])),
        call(map([("a", "b".into())])),
    ];
    assert_snapshot!(roots.map(|node| emit::yaml(&node).replace("- ' '\n", "")).join("===\n"), @"
    null
    ===
    {}
    ===
    []
    ===
    !Join
    ===
    !Join
    a: b
    ");
}

#[test]
fn json_has_long_form_functions() {
    let node =
        read("b: !GetAtt A.B\na: !Join ['', [!Ref x, 1.0]]\nc: {}\nd: []\ne: \"\\u2028\\\"\"\n");
    assert_snapshot!(emit::json(&node), @r#"
    {
      "b": {
        "Fn::GetAtt": [
          "A",
          "B"
        ]
      },
      "a": {
        "Fn::Join": [
          "",
          [
            {
              "Ref": "x"
            },
            1.0
          ]
        ]
      },
      "c": {},
      "d": [],
      "e": "\u2028\""
    }
    "#);
}
