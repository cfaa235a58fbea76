use super::*;

const CAPACITY: Capacity = Capacity {
    listeners: 500,
    per_address: 50,
};

#[test]
fn shares_add_up() {
    for number in [0, 1, 3, 15, 16, 17, 50, 500, 100_000, u32::MAX] {
        let shares = (0..SHARDS).map(|index| u64::from(share(number, index)));
        assert_eq!(shares.sum::<u64>(), u64::from(number));
    }
}

#[test]
fn a_shard_has_places_until_its_share_is_taken() {
    let with = |listeners: u32, of_address: u32| Shard {
        listeners,
        closed: false,
        version: listeners,
        groups: BTreeMap::from([("address:a".to_owned(), of_address)]),
    };
    let free = |shard: &Shard, index, address| free_places(shard, index, address, CAPACITY);
    assert_eq!(free(&Shard::default(), 15, "address:a"), 3);
    assert_eq!(free(&with(30, 2), 15, "address:a"), 1);
    assert_eq!(free(&with(31, 2), 15, "address:a"), 0);
    assert_eq!(free(&with(20, 3), 15, "address:a"), 0);
    assert_eq!(free(&with(30, 3), 15, "address:b"), 1);
    // The first shards have the remainder.
    assert_eq!(free(&with(31, 3), 0, "address:a"), 1);
    let closed = Shard {
        closed: true,
        ..Shard::default()
    };
    assert_eq!(free(&closed, 0, "address:a"), 0);
}
