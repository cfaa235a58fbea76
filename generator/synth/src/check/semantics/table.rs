//! Tables.

use std::collections::BTreeMap;

use super::SpecChecker;
use crate::LocatedError;
use crate::spec::TableSpec;

/// Maximum number of global secondary indexes of a table (a DynamoDB quota).
const MAX_INDEXES: usize = 20;

impl SpecChecker<'_> {
    pub(super) fn table(&mut self, name: &str, table: &TableSpec) {
        let mut types = BTreeMap::new();
        for key in table.keys() {
            let first = *types.entry(key.name.as_str()).or_insert(key.key_type);
            if first != key.key_type {
                let (span, name) = (self.spans.key(&["tables", name]), &key.name);
                let message = format!(
                    "attribute `{name}` is a key of type `{}` and of type `{}`",
                    first.name(),
                    key.key_type.name()
                );
                self.report(
                    LocatedError::new(span, message)
                        .hint("give the attribute one type in all keys of the table"),
                );
            }
        }
        let indexes = table.indexes.len();
        if indexes > MAX_INDEXES {
            let span = self.spans.key(&["tables", name, "indexes"]);
            let message = format!("{indexes} indexes; a table can have at most {MAX_INDEXES}");
            self.report(
                LocatedError::new(span, message)
                    .hint("give an index generic keys, so that it serves several queries"),
            );
        }
        self.index_attributes(name, table);
        let path = ["tables", name, "kmsKeyArn"];
        self.kms_key(&path, table.kms_key_arn.as_ref());
        if table.kms_key_arn.is_some() {
            let encryption = ["tables", name, "encryption"];
            if self.document.at_path(&encryption).is_some() {
                let error = LocatedError::new(
                    self.spans.key(&path),
                    "`kmsKeyArn` and `encryption` are mutually exclusive",
                );
                let error = error.related(self.spans.key(&encryption), "`encryption` is here");
                self.report(error.hint("remove one of them: your own key replaces AWS's"));
            }
        }
        if table.time_to_live.as_ref() == Some(&table.partition_key.name) {
            let span = self.spans.value(&["tables", name, "timeToLive"]);
            self.report(LocatedError::new(
                span,
                "the partition key cannot be the time-to-live attribute",
            ));
        }
    }

    /// Checks the attributes that indexes copy besides their keys.
    fn index_attributes(&mut self, name: &str, table: &TableSpec) {
        for (index, spec) in &table.indexes {
            let path = ["tables", name, "indexes", index.as_str(), "include"];
            let projection = ["tables", name, "indexes", index.as_str(), "projection"];
            if !spec.include.is_empty() && self.document.at_path(&projection).is_some() {
                let error = LocatedError::new(
                    self.spans.key(&path),
                    "`include` and `projection` are mutually exclusive",
                );
                let error = error.related(self.spans.key(&projection), "`projection` is here");
                self.report(error.hint("remove one of them"));
            }
            let sort_keys = [table.sort_key.as_ref(), spec.sort_key.as_ref()];
            let partition_keys = [&table.partition_key, &spec.partition_key];
            let mut keys = partition_keys
                .into_iter()
                .chain(sort_keys.into_iter().flatten());
            if let Some(key) = keys.find(|key| spec.include.contains(&key.name)) {
                let key = &key.name;
                self.report(
                    LocatedError::new(self.spans.key(&path), format!("`{key}` is a key")).hint(
                        "remove it: an index always contains its keys and those of the table",
                    ),
                );
            }
        }
    }
}
