use std::time::Duration;

use futures_util::future::join_all;
use live_session_core::ports::Store;
use live_session_core::{Role, Ticket, TicketHash};

use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";
const OTHER: &str = "brave-river-123-k7dq2m9x4hw3t";

fn ticket() -> Ticket {
    Ticket {
        session_id: session_id(ID),
        role: Role::Speaker,
        user_id: user(OWNER),
        valid_until: NOW.after(Duration::from_secs(30)),
        expires_at: NOW.as_seconds() + 31,
    }
}

fn hash() -> TicketHash {
    TicketHash::of("secret")
}

pub(super) async fn a_ticket_is_redeemed_by_one_of_many(store: &impl Store) {
    store.put_ticket(&hash(), &ticket()).await.unwrap();
    let (id, hash) = (session_id(ID), hash());
    let attempts = (0..20).map(|_| store.redeem_ticket(&hash, &id, NOW));
    let redeemed = join_all(attempts).await;
    let redeemed: Vec<_> = redeemed.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(redeemed, [ticket()]);
}

pub(super) async fn another_session_does_not_use_a_ticket_up(store: &impl Store) {
    store.put_ticket(&hash(), &ticket()).await.unwrap();
    let elsewhere = store.redeem_ticket(&hash(), &session_id(OTHER), NOW).await;
    assert_eq!(elsewhere, Ok(None));
    let unknown = TicketHash::of("guess");
    let unknown = store.redeem_ticket(&unknown, &session_id(ID), NOW).await;
    assert_eq!(unknown, Ok(None));
    let redeemed = store.redeem_ticket(&hash(), &session_id(ID), NOW).await;
    assert_eq!(redeemed, Ok(Some(ticket())));
}

pub(super) async fn a_ticket_expires_even_if_its_item_is_still_there(store: &impl Store) {
    for (millis, expected) in [(30_000, None), (29_999, Some(ticket()))] {
        store.put_ticket(&hash(), &ticket()).await.unwrap();
        let now = NOW.after(Duration::from_millis(millis));
        let redeemed = store.redeem_ticket(&hash(), &session_id(ID), now).await;
        assert_eq!(redeemed, Ok(expected));
    }
}
