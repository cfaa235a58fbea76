//! Tables.

use std::collections::BTreeMap;

use super::Checker;
use crate::Problem;
use crate::spec::Table;

/// DynamoDB's quota of global secondary indexes a table.
const INDEXES: usize = 20;

impl Checker<'_> {
    pub(super) fn table(&mut self, name: &str, table: &Table) {
        let mut types = BTreeMap::new();
        for key in table.keys() {
            let first = *types.entry(key.name.as_str()).or_insert(key.key_type);
            if first != key.key_type {
                let (span, name) = (self.places.key(&["tables", name]), &key.name);
                let message = format!(
                    "attribute `{name}` is a key as `{}` and as `{}`",
                    first.name(),
                    key.key_type.name()
                );
                self.report(
                    Problem::new(span, message)
                        .hint("an attribute has one type in all keys of a table"),
                );
            }
        }
        let indexes = table.indexes.len();
        if indexes > INDEXES {
            let span = self.places.key(&["tables", name, "indexes"]);
            let message = format!("{indexes} indexes; a table has at most {INDEXES}");
            self.report(
                Problem::new(span, message)
                    .hint("an index can serve several questions when its keys are generic"),
            );
        }
        if let Some(key) = &table.kms_key_arn {
            let path = ["tables", name, "kmsKeyArn"];
            self.arn(&path, &key.0);
            let encryption = ["tables", name, "encryption"];
            if self.document.at_path(&encryption).is_some() {
                let problem = Problem::new(
                    self.places.key(&path),
                    "`kmsKeyArn` and `encryption` exclude each other",
                );
                let problem = problem.related(self.places.key(&encryption), "the other one");
                self.report(
                    problem
                        .hint("a key of your own takes the place of AWS's: take one of them out"),
                );
            }
        }
        if table.time_to_live.as_ref() == Some(&table.partition_key.name) {
            let span = self.places.value(&["tables", name, "timeToLive"]);
            self.report(Problem::new(
                span,
                "the partition key cannot be the time to live as well",
            ));
        }
    }
}
