//! Code of functions: archives, objects in S3, files.

use std::path::Path;
use std::rc::Rc;

use stackgen_cfn::{Node, Span, map};

use super::TemplateConverter;
use super::properties::ResourceProperties;
use crate::address::address_of_block;
use crate::evaluate::ResourceInstance;
use crate::files::normalized;
use crate::functions::known;
use crate::value::HclValue;

impl TemplateConverter<'_, '_> {
    /// Sets the property with the code of a function or the content of a layer.
    pub(super) fn set_code(
        &self,
        span: Span,
        properties: &mut ResourceProperties<'_, '_>,
        property: &str,
    ) {
        let known_file = self
            .path(properties.value("filename"))
            .filter(|file| !self.evaluator.tokens.has_token(file));
        if let Some(file) = known_file {
            let node = self.local_code(&file, span);
            properties.set(property, "filename", node);
            return;
        }
        if let Some(path) = self.packaged_source(properties) {
            let node = self.code_path(&path);
            properties.set(property, "filename", node);
            return;
        }
        let Some(key) = properties.value("s3_key") else {
            return;
        };
        if let Some(object) = self.object_with(properties.value("s3_bucket"), key)
            && let Some(file) = self.path(object.attributes.get("source"))
        {
            let node = self.local_code(&file, span);
            properties.set(property, "s3_key", node);
            return;
        }
        let names = [
            ("s3_bucket", "S3Bucket"),
            ("s3_key", "S3Key"),
            ("s3_object_version", "S3ObjectVersion"),
        ];
        let entries = names
            .into_iter()
            .filter_map(|(name, key)| Some((key, properties.node(name)?)));
        let node = map(entries.collect::<Vec<_>>());
        properties.set(property, "s3_key", node);
    }

    fn path(&self, value: Option<&HclValue>) -> Option<String> {
        let value = known(&self.evaluator.tokens, value?);
        value.as_text().map(str::to_owned)
    }

    /// Returns the folder of code that a program packages for an archive with an unknown name. The query of its data source
    /// `external` has the sources as JSON: a path, or a list of paths and of objects with one.
    fn packaged_source(&self, properties: &ResourceProperties<'_, '_>) -> Option<String> {
        let filename = properties.text("filename")?;
        let unknown = self
            .evaluator
            .tokens
            .unknowns(&filename)
            .into_iter()
            .next()?;
        let program = self.data.iter().find(|one| {
            one.kind == "external" && unknown.contains(address_of_block(&one.address))
        })?;
        let query = program.attributes.get("query")?.entries()?;
        let text = query.get("source_path")?.as_text()?;
        let sources: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        let first = match &sources {
            serde_json::Value::Array(items) => items.first()?,
            other => other,
        };
        let path = first.as_str().or_else(|| first.get("path")?.as_str())?;
        let is_file = matches!(self.evaluator.files.read(Path::new(path)), Ok(Some(_)));
        let folder = Path::new(path).parent().filter(|_| is_file);
        Some(folder.map_or(path.to_owned(), |folder| {
            folder.to_string_lossy().into_owned()
        }))
    }

    /// Returns the object in S3 with a key.
    fn object_with(
        &self,
        bucket: Option<&HclValue>,
        key: &HclValue,
    ) -> Option<&Rc<ResourceInstance>> {
        let tokens = &self.evaluator.tokens;
        let same = |one: Option<&HclValue>, other: Option<&HclValue>| match (one, other) {
            (Some(one), Some(other)) => one == other || known(tokens, one) == known(tokens, other),
            _ => false,
        };
        let is_object = |kind: &str| matches!(kind, "aws_s3_object" | "aws_s3_bucket_object");
        let id =
            |object: &Rc<ResourceInstance>| tokens.reference(&object.address, Some("key"), None);
        self.resources.iter().find(|object| {
            is_object(&object.kind)
                && same(object.attributes.get("bucket"), bucket)
                && (same(object.attributes.get("key"), Some(key))
                    || key.as_text() == Some(&id(object)))
        })
    }

    /// Returns the code at a path: what the archive there is made of, or the path itself.
    fn local_code(&self, file: &str, span: Span) -> Node {
        let archives = self
            .data
            .iter()
            .chain(self.resources)
            .filter(|one| one.kind == "archive_file");
        let mut archives = archives.filter(|one| {
            self.path(one.attributes.get("output_path"))
                .is_some_and(|path| path == file)
        });
        let Some(archive) = archives.next() else {
            return self.code_path(file);
        };
        if let Some(folder) = self.path(archive.attributes.get("source_dir")) {
            return self.code_path(&folder);
        }
        if let Some(source) = self.path(archive.attributes.get("source_file")) {
            let folder = Path::new(&source)
                .parent()
                .map(|folder| folder.to_string_lossy().into_owned());
            let folder = folder
                .filter(|folder| !folder.is_empty())
                .unwrap_or_else(|| ".".to_owned());
            return self.code_path(&folder);
        }
        self.archived_texts(archive, span)
            .unwrap_or_else(|| self.code_path(file))
    }

    /// Returns the path of code: below the root module's folder, or absolute, without `.` and `..`.
    fn code_path(&self, path: &str) -> Node {
        let normal = normalized(Path::new(path));
        let normal = match normal.starts_with("..") {
            true => normalized(&self.evaluator.files.root().join(path)),
            false => normal,
        };
        Node::from(match normal.as_os_str().is_empty() {
            true => ".".into(),
            false => normal.to_string_lossy().into_owned(),
        })
    }

    /// Returns the code of an archive whose content is in the configuration.
    fn archived_texts(&self, archive: &ResourceInstance, span: Span) -> Option<Node> {
        let tokens = &self.evaluator.tokens;
        let text = |name: &str, block: Option<&HclValue>| {
            let value = match block {
                Some(block) => block.entries()?.get(name)?.clone(),
                None => archive.attributes.get(name)?.clone(),
            };
            known(tokens, &value).as_text().map(str::to_owned)
        };
        let blocks = match archive.attributes.get("source") {
            // In the JSON syntax, a nested block of which there is one can be an object.
            Some(only @ HclValue::Map(_)) => std::slice::from_ref(only),
            blocks => blocks.and_then(HclValue::elements).unwrap_or_default(),
        };
        let content = match blocks {
            [] => text("source_content", None)?,
            [only] => text("content", Some(only))?,
            several => {
                let message = format!(
                    "{} has {} files in the configuration, which stackgen does not write",
                    archive.address,
                    several.len()
                );
                self.note(
                    span,
                    message,
                    "put them into a folder and name it in `source_dir`",
                );
                return None;
            }
        };
        Some(map([("ZipFile", tokens.node(&content))]))
    }
}
