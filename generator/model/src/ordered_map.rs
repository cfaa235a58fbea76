//! Maps of the model.

use foldhash::fast::RandomState;
use indexmap::IndexMap;

/// Map in the order of its entries, with a hash function that is quick for short keys, as in
/// [`stackgen_cfn::Map`]. Its seed is random, so that no template can make keys collide.
pub type OrderedMap<K, V> = IndexMap<K, V, RandomState>;
