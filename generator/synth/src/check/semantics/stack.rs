//! The description and the tags of the stack.

use super::SpecChecker;
use crate::LocatedError;

/// Maximum length of a template's description in bytes (a CloudFormation quota).
const MAX_DESCRIPTION_BYTES: usize = 1024;
/// Maximum number of tags per resource in most services.
const MAX_TAGS: usize = 50;

impl SpecChecker<'_> {
    pub(super) fn stack(&mut self) {
        let length = self.spec.description.as_ref().map_or(0, String::len);
        if length > MAX_DESCRIPTION_BYTES {
            let message = format!(
                "the description has {length} bytes; CloudFormation allows {MAX_DESCRIPTION_BYTES}"
            );
            let span = self.spans.value(&["description"]);
            self.report(
                LocatedError::new(span, message).hint("shorten it; put details in a comment"),
            );
        }
        let tags = &self.spec.tags;
        if tags.len() > MAX_TAGS {
            let message = format!(
                "{} tags; a resource can have at most {MAX_TAGS}",
                tags.len()
            );
            let span = self.spans.key(&["tags"]);
            self.report(LocatedError::new(span, message).hint("remove some of them"));
        }
        for (key, value) in tags {
            let reserved = key.to_ascii_lowercase().starts_with("aws:");
            if reserved || !(1..=128).contains(&key.chars().count()) {
                let span = self.spans.key(&["tags", key]);
                let error = LocatedError::new(span, format!("`{key}` is not a valid tag key"));
                self.report(error.hint(
                    "use 1 to 128 characters, and do not begin with `aws:`, which AWS reserves",
                ));
            }
            let length = value.chars().count();
            if length > 256 {
                let span = self.spans.value(&["tags", key]);
                let message = format!("the tag's value has {length} characters; the limit is 256");
                self.report(LocatedError::new(span, message).hint("shorten it"));
            }
        }
    }
}
