//! Names of AWS's hosts.

/// AWS's domains, with the dot before them.
const DOMAINS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// Labels in the names of customers' resources: load balancers, virtual machines, APIs of AppSync, endpoints of devices, search
/// domains and collections, Kubernetes clusters.
const OF_CUSTOMERS: [&str; 10] = [
    "elb",
    "compute",
    "compute-1",
    "appsync-api",
    "appsync-realtime-api",
    "iot",
    "es",
    "aoss",
    "cloudsearch",
    "eks",
];

/// First labels of names that are a service's although they contain one of [`OF_CUSTOMERS`]: `data-ats.iot.us-east-1`.
const OF_SERVICES: [&str; 3] = ["api", "data", "data-ats"];

/// Host of AWS. The modules that redirect connections of functions decide in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsHost<'a> {
    /// API with this ID: `{id}.execute-api.{region}.amazonaws.com`.
    Api(&'a str),
    /// Service, with the name before AWS's domain: `sqs.us-east-1`, `bucket.s3.us-east-1`.
    Service(&'a str),
}

impl<'a> AwsHost<'a> {
    /// Parses a name in lower case. Returns `None` for names outside AWS's domains, and for the hosts of customers' resources.
    pub fn parse(host: &'a str) -> Option<Self> {
        let mut names = DOMAINS
            .iter()
            .filter_map(|domain| host.strip_suffix(domain));
        let name = names.next()?;
        let labels: Vec<&str> = name.split('.').collect();
        match labels.as_slice() {
            // It answers with the caller's address.
            ["checkip"] => None,
            [id, "execute-api", _region] => Some(AwsHost::Api(id)),
            [_, "execute-api", ..] => None,
            [first, rest @ ..] if is_of_customer(first, rest) => None,
            _ => Some(AwsHost::Service(name)),
        }
    }
}

/// Returns true for a name of a customer's resource, by its first label and the others.
fn is_of_customer(first: &str, rest: &[&str]) -> bool {
    let mut last = rest.iter().rev().take(2);
    !OF_SERVICES.contains(&first) && last.any(|label| OF_CUSTOMERS.contains(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_that_of_an_api_or_of_a_service_in_any_region() {
        for (host, parsed) in [
            (
                "abc.execute-api.us-east-1.amazonaws.com",
                AwsHost::Api("abc"),
            ),
            (
                "abc.execute-api.cn-north-1.amazonaws.com.cn",
                AwsHost::Api("abc"),
            ),
            (
                "sqs.us-east-1.amazonaws.com",
                AwsHost::Service("sqs.us-east-1"),
            ),
            (
                "a.b.s3.us-east-1.amazonaws.com",
                AwsHost::Service("a.b.s3.us-east-1"),
            ),
            ("sts.amazonaws.com", AwsHost::Service("sts")),
            (
                "iot.us-east-1.amazonaws.com",
                AwsHost::Service("iot.us-east-1"),
            ),
            (
                "data-ats.iot.us-east-1.amazonaws.com",
                AwsHost::Service("data-ats.iot.us-east-1"),
            ),
            (
                "es.us-east-1.amazonaws.com",
                AwsHost::Service("es.us-east-1"),
            ),
            (
                "eks.us-east-1.amazonaws.com",
                AwsHost::Service("eks.us-east-1"),
            ),
        ] {
            assert_eq!(AwsHost::parse(host), Some(parsed), "{host}");
        }
    }

    #[test]
    fn hosts_of_customers_and_of_other_domains_are_none() {
        for host in [
            "chat-1.us-east-1.elb.amazonaws.com",
            "chat-1.elb.us-east-1.amazonaws.com",
            "ec2-1-2-3-4.compute-1.amazonaws.com",
            "ec2-1-2-3-4.eu-west-1.compute.amazonaws.com",
            "ec2-1-2-3-4.cn-north-1.compute.amazonaws.com.cn",
            "abc.appsync-api.us-east-1.amazonaws.com",
            "abc.appsync-realtime-api.us-east-1.amazonaws.com",
            "abc-ats.iot.us-east-1.amazonaws.com",
            "abc.credentials.iot.us-east-1.amazonaws.com",
            "search-rooms-abc.us-east-1.es.amazonaws.com",
            "abc.us-east-1.aoss.amazonaws.com",
            "doc-rooms-abc.us-east-1.cloudsearch.amazonaws.com",
            "ABC.gr7.us-east-1.eks.amazonaws.com",
            "checkip.amazonaws.com",
            "abc.execute-api.us-east-1.vpce.amazonaws.com",
            "amazonaws.com",
            "evilamazonaws.com",
            "amazonaws.com.evil.example",
            "example.com",
        ] {
            assert_eq!(AwsHost::parse(host), None, "{host}");
        }
    }
}
