//! What several rules need to know of a template, each thing worked out in one place.
