//! Hosts that no proxy reaches.

use std::net::{IpAddr, Ipv6Addr};

/// Returns true if a host is this machine: an address of its own, without brackets, or a name such as `localhost`.
pub fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

/// Returns true for this machine, for link-local addresses, and for the IPv6 addresses of AWS's metadata services, which are
/// `fd00:ec2::254` for instances and `fd00:ec2::23` for containers.
pub(crate) fn is_local(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => is_local_v6(address),
        Err(_) => is_loopback(host),
    }
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    if let Some(address) = address.to_ipv4_mapped() {
        return address.is_loopback() || address.is_link_local();
    }
    let is_metadata = address.segments()[..2] == [0xfd00, 0x0ec2];
    address.is_loopback() || address.is_unicast_link_local() || is_metadata
}
