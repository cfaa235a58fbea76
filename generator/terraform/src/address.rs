//! Addresses of instances.

/// Returns the address of the block of an instance: without the key at its end.
pub(crate) fn address_of_block(address: &str) -> &str {
    match address.ends_with(']') {
        true => address.rfind('[').map_or(address, |at| &address[..at]),
        false => address,
    }
}
