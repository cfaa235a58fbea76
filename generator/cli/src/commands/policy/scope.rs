//! Resources that a policy names.

use std::collections::BTreeSet;

use stackgen_aws::{AwsCall, CallTarget};
use stackgen_cfn::Node;
use stackgen_deploy::stack::names::{FixedName, named_resources};
use stackgen_deploy::stack::quotas::{PartDemand, part_demands};

/// CloudFormation invents names from the first characters of the stack's name: at most this many, if the name is long.
const NAME_PREFIX: usize = 24;

/// Stack or API that a policy is limited to.
#[derive(Debug)]
pub(super) struct PolicyScope {
    pub(super) partition: String,
    /// Region, or `*`.
    pub(super) region: String,
    /// Account, or `*`.
    pub(super) account: String,
    pub(super) stack: String,
    /// ID of the API, or `*`.
    pub(super) api: String,
    /// Bucket of artifacts.
    pub(super) bucket: String,
    /// Template of the stack.
    pub(super) template: Option<Node>,
}

impl PolicyScope {
    /// Returns the ARNs of an operation's target; none if the scope has no such resource.
    pub(super) fn arns(&self, target: CallTarget) -> BTreeSet<String> {
        let (partition, bucket) = (&self.partition, &self.bucket);
        let one = |arn: String| BTreeSet::from([arn]);
        match target {
            CallTarget::Gateway(path) => one(self.gateway(&path.replace("{api}", &self.api))),
            CallTarget::Function => self.functions(),
            CallTarget::Stack => one(self.regional("cloudformation", &self.stack_path())),
            CallTarget::Account => one("*".to_owned()),
            CallTarget::Bucket => {
                let mut buckets = one(format!("arn:{partition}:s3:::{bucket}"));
                buckets.extend(self.of_names(target));
                buckets
            }
            CallTarget::Object => one(format!("arn:{partition}:s3:::{bucket}/*")),
            CallTarget::AccountSummary if self.types().contains("AWS::IAM::Role") => {
                one("*".to_owned())
            }
            CallTarget::GatewayQuota => {
                let demands = self.template.as_ref().map(part_demands);
                let codes = demands.iter().flatten().filter_map(PartDemand::code);
                let quota = |code| self.regional("servicequotas", &format!("apigateway/{code}"));
                codes.map(quota).collect()
            }
            CallTarget::AccountSummary | CallTarget::Unlimited => BTreeSet::new(),
            _ => self.of_names(target),
        }
    }

    /// Returns the ARNs of the resources that the preflight checks by their names.
    fn of_names(&self, target: CallTarget) -> BTreeSet<String> {
        let named = self.template.as_ref().map(named_resources);
        let arns = named.iter().flatten().filter_map(|resource| {
            Some(match (target, &resource.name) {
                (CallTarget::Table, FixedName::Table(name)) => {
                    self.regional("dynamodb", &format!("table/{name}"))
                }
                (CallTarget::Role, FixedName::Role(name)) => {
                    self.global("iam", &format!("role/{name}"))
                }
                (CallTarget::LogGroup, FixedName::LogGroup(_)) => {
                    self.regional("logs", "log-group:*")
                }
                (CallTarget::Bucket, FixedName::Bucket(name)) => {
                    format!("arn:{}:s3:::{name}", self.partition)
                }
                (CallTarget::Alarm, FixedName::Alarm(_)) => self.regional("cloudwatch", "alarm:*"),
                (CallTarget::Dashboard, FixedName::Dashboard(name)) => {
                    self.global("cloudwatch", &format!("dashboard/{name}"))
                }
                (CallTarget::HostedZone, FixedName::Record { zone, .. }) => {
                    format!("arn:{}:route53:::hostedzone/{zone}", self.partition)
                }
                (CallTarget::UserPoolDomain, FixedName::UserPoolDomain(_)) => "*".to_owned(),
                _ => return None,
            })
        });
        arns.collect()
    }

    /// Returns the ARNs that a command that only reads calls an operation on. Without a template, names are not known.
    pub(super) fn reading_arns(&self, call: AwsCall) -> BTreeSet<String> {
        let one = |arn: String| BTreeSet::from([arn]);
        match call {
            AwsCall::DescribeLogGroups => one(self.regional("logs", "log-group:*")),
            AwsCall::FilterLogEvents | AwsCall::StartLiveTail | AwsCall::StartQuery => {
                self.log_groups()
            }
            AwsCall::DescribeTable | AwsCall::DescribeTimeToLive | AwsCall::Scan => {
                self.named("AWS::DynamoDB::Table", "TableName", |name| {
                    vec![self.regional("dynamodb", &format!("table/{name}"))]
                })
            }
            AwsCall::SimulatePrincipalPolicy
            | AwsCall::ListRolePolicies
            | AwsCall::GetRolePolicy
            | AwsCall::ListAttachedRolePolicies => {
                self.named("AWS::IAM::Role", "RoleName", |name| {
                    vec![self.global("iam", &format!("role/{name}"))]
                })
            }
            AwsCall::GetManagedPolicy | AwsCall::GetPolicyVersion => {
                one(format!("arn:{}:iam::*:policy/*", self.partition))
            }
            AwsCall::GetConnection => {
                let path = format!("{}/*/GET/@connections/*", self.api);
                one(self.regional("execute-api", &path))
            }
            call => match call.target() {
                CallTarget::Function if self.template.is_none() => {
                    one(self.regional("lambda", "function:*"))
                }
                target => self.arns(target),
            },
        }
    }

    fn stack_path(&self) -> String {
        match self.stack.is_empty() {
            true => "stack/*".to_owned(),
            false => format!("stack/{}/*", self.stack),
        }
    }

    /// Returns the ARNs of the template's resources of a type; those of any name without a template.
    fn named(
        &self,
        kind: &str,
        property: &str,
        arns: impl Fn(&str) -> Vec<String>,
    ) -> BTreeSet<String> {
        let names = match self.template {
            Some(_) => self.names(kind, property),
            None => BTreeSet::from(["*".to_owned()]),
        };
        names.iter().flat_map(|name| arns(name)).collect()
    }

    /// Returns the ARNs of the log groups of the template, of its functions and of the API's stages. Operations differ in whether
    /// the ARN ends in `:*`.
    fn log_groups(&self) -> BTreeSet<String> {
        let arns = |group: &str| {
            let plain = self.regional("logs", &format!("log-group:{group}"));
            let streams = (!group.ends_with('*')).then(|| format!("{plain}:*"));
            [Some(plain), streams].into_iter().flatten().collect()
        };
        let mut groups = self.named("AWS::Logs::LogGroup", "LogGroupName", arns);
        if self.template.is_some() {
            groups.extend(self.named("AWS::Lambda::Function", "FunctionName", |name| {
                arns(&format!("/aws/lambda/{name}"))
            }));
            groups.extend(arns(&format!("/aws/apigateway/{}/*", self.api)));
        }
        groups
    }

    /// Returns the ARN of a path of API Gateway.
    pub(super) fn gateway(&self, path: &str) -> String {
        format!("arn:{}:apigateway:{}::{path}", self.partition, self.region)
    }

    /// Returns the ARN of a resource in the account and region.
    pub(super) fn regional(&self, service: &str, resource: &str) -> String {
        let PolicyScope {
            partition,
            region,
            account,
            ..
        } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// Returns the ARN of a resource in the account, in no region.
    pub(super) fn global(&self, service: &str, resource: &str) -> String {
        let (partition, account) = (&self.partition, &self.account);
        format!("arn:{partition}:{service}::{account}:{resource}")
    }

    /// Returns the ARNs of the stack's functions and of their versions.
    pub(super) fn functions(&self) -> BTreeSet<String> {
        let names = self.names("AWS::Lambda::Function", "FunctionName");
        let arns = names.iter().flat_map(|name| {
            let versions = (!name.ends_with('*')).then(|| format!("function:{name}:*"));
            let function = format!("function:{name}");
            [Some(function), versions].into_iter().flatten()
        });
        arns.map(|resource| self.regional("lambda", &resource))
            .collect()
    }

    /// Returns the names of the template's resources of a type. A name that is not in the template begins with the stack's.
    pub(super) fn names(&self, kind: &str, property: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for resource in self.resources().filter(|resource| is_of(resource, kind)) {
            let properties = resource.get("Properties");
            let name = properties.and_then(|properties| properties.get(property));
            names.insert(match (name, name.and_then(Node::as_str)) {
                (_, Some(literal)) => literal.to_owned(),
                (Some(_), None) => "*".to_owned(),
                (None, _) => format!("{}*", self.stack_prefix()),
            });
        }
        names
    }

    /// True if a resource of a type has a property.
    pub(super) fn has_property(&self, kind: &str, property: &str) -> bool {
        let mut resources = self.resources().filter(|resource| is_of(resource, kind));
        resources.any(|resource| {
            let properties = resource.get("Properties");
            properties.is_some_and(|properties| properties.get(property).is_some())
        })
    }

    /// Returns what the invented names of the stack's resources begin with.
    fn stack_prefix(&self) -> &str {
        let end = self.stack.len().min(NAME_PREFIX);
        self.stack.get(..end).unwrap_or(&self.stack)
    }

    /// Returns the types of the template's resources.
    pub(super) fn types(&self) -> BTreeSet<&str> {
        let types = self.resources().filter_map(|resource| resource.get("Type"));
        types.filter_map(Node::as_str).collect()
    }

    fn resources(&self) -> impl Iterator<Item = &Node> {
        let resources = self.template.as_ref().and_then(|all| all.get("Resources"));
        let resources = resources.and_then(Node::as_map);
        resources
            .into_iter()
            .flat_map(|map| map.iter().map(|(_, resource)| resource))
    }
}

fn is_of(resource: &Node, kind: &str) -> bool {
    resource.get("Type").and_then(Node::as_str) == Some(kind)
}
