//! Property tests of tokens.

use proptest::prelude::*;
use stackgen_websocket::authorize::{ConnectRequest, echoed_subprotocol, find_token};
use stackgen_websocket_testing::SigningKey;
use tokio::runtime::{Builder, Runtime};

use crate::world::World;

/// The base64url alphabet, by value.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns a runtime, and an issuer whose keys are cached, so that no more network is needed.
fn warm() -> (Runtime, World, String) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (world, good) = runtime.block_on(async {
        let world = World::new().await;
        let good = world.good();
        world.accepts(&good).await;
        (world, good)
    });
    (runtime, world, good)
}

/// Flips every bit of every letter, also the unused trailing bits of each part: careless base64 decoders accept several
/// encodings of the same bytes.
#[tokio::test]
async fn no_token_with_a_flipped_bit_is_accepted() {
    for key in [SigningKey::ec("key-1"), SigningKey::rsa("key-1")] {
        let world = World::with_key(key).await;
        let good = world.good();
        world.accepts(&good).await;
        for (index, byte) in good.bytes().enumerate().filter(|(_, byte)| *byte != b'.') {
            let value = LETTERS.iter().position(|letter| *letter == byte).unwrap();
            for bit in 0..6 {
                let mut bytes = good.clone().into_bytes();
                bytes[index] = LETTERS[value ^ (1 << bit)];
                let flipped = String::from_utf8(bytes).unwrap();
                assert!(
                    world.verify(&flipped).await.is_err(),
                    "bit {bit} of byte {index}"
                );
            }
        }
    }
}

#[test]
fn no_token_with_another_byte_anywhere_is_accepted() {
    let (runtime, world, good) = warm();
    proptest!(|(index in 0..good.len(), byte in 0_u8..128)| {
        let mut bytes = good.clone().into_bytes();
        prop_assume!(bytes[index] != byte);
        bytes[index] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(runtime.block_on(world.verify(&changed)).is_err());
    });
}

#[test]
fn no_token_with_something_added_or_removed_is_accepted() {
    let (runtime, world, good) = warm();
    proptest!(|(start in 0..good.len(), length in 0_usize..8, text in ".{0,8}")| {
        let end = good.len().min(start + length);
        let changed = format!("{}{text}{}", &good[..start], &good[end..]);
        prop_assume!(changed != good);
        prop_assert!(runtime.block_on(world.verify(&changed)).is_err());
    });
}

#[test]
fn no_text_is_accepted_or_makes_it_panic() {
    let (runtime, world, _) = warm();
    proptest!(|(text in prop_oneof![any::<String>(), "[A-Za-z0-9_.=-]{0,200}", r"(eyJ[A-Za-z0-9_-]{0,80}\.){1,4}"])| {
        prop_assert!(runtime.block_on(world.verify(&text)).is_err());
    });
}

proptest! {
    #[test]
    fn a_token_in_the_query_is_found_or_refused(
        token in "[^ ].*",
        authorization in ".*",
        protocols in prop_oneof![any::<String>(), "[a-zA-Z., ]{0,40}"],
    ) {
        let request = ConnectRequest {
            query_tokens: vec![token.clone()],
            authorizations: vec![authorization],
            subprotocols: vec![protocols],
            ..ConnectRequest::default()
        };
        if let Ok(found) = find_token(&request) {
            prop_assert_eq!(found, Some(token.as_str()));
        }
    }

    #[test]
    fn the_echoed_subprotocol_was_offered(offered in prop_oneof![any::<String>(), "[a-zA-Z., ]{0,40}"]) {
        let entries: Vec<_> = offered.split(',').map(str::trim).collect();
        match echoed_subprotocol(&offered) {
            Some(echoed) => prop_assert!(entries.contains(&echoed)),
            None => prop_assert!(entries.iter().all(|entry| entry.is_empty() || entry.starts_with("eyJ"))),
        }
    }
}
