//! The compose file.

use anyhow::{Result, bail};
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::Value;

use crate::place::exists;

pub(crate) fn yaml(text: &str) -> Result<Value> {
    let documents = Yaml::load_from_str(text)?;
    let [document] = documents.as_slice() else { bail!("is not one document") };
    Ok(json(document))
}

/// The YAML as JSON. Values that are no texts, numbers, lists or tables are null.
fn json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::String(text)) => Value::from(text.as_ref()),
        Yaml::Value(Scalar::Integer(number)) => Value::from(*number),
        Yaml::Value(Scalar::Boolean(truth)) => Value::from(*truth),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(fields) => fields
            .iter()
            .map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), json(value)))
            .collect(),
        Yaml::Value(Scalar::Null | Scalar::FloatingPoint(_))
        | Yaml::Representation(..)
        | Yaml::Tagged(..)
        | Yaml::Alias(_)
        | Yaml::BadValue => Value::Null,
    }
}

pub(crate) fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Which paths of the compose file are not there, and which volumes are not declared.
pub(crate) fn compose_faults(compose: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(services) = compose.get("services").and_then(Value::as_object) else {
        return vec!["no services".to_owned()];
    };
    for (name, service) in services {
        let build = |key| service.pointer(key).and_then(Value::as_str);
        if let Some(context) = build("/build/context") {
            let dockerfile = build("/build/dockerfile").unwrap_or("Dockerfile");
            for path in [format!("deploy/{context}"), format!("deploy/{context}/{dockerfile}")] {
                if !exists(&path) {
                    faults.push(format!("{name}: no {path}"));
                }
            }
        } else if !build("/image").is_some_and(is_pinned) {
            faults.push(format!("{name}: its image has no version"));
        }
        for volume in texts(service.get("volumes")) {
            let source = volume.split(':').next().unwrap_or_default();
            let known = if source.starts_with('.') {
                exists(&format!("deploy/{source}"))
            } else {
                compose.pointer(&format!("/volumes/{source}")).is_some()
            };
            if !known {
                faults.push(format!("{name}: no volume {source}"));
            }
        }
        for other in texts(service.get("depends_on")) {
            if !services.contains_key(&other) {
                faults.push(format!("{name}: depends on {other}, which is no service"));
            }
        }
    }
    faults
}

fn is_pinned(image: &str) -> bool {
    image.split_once(':').is_some_and(|(_, tag)| tag.starts_with(|c: char| c.is_ascii_digit()))
}
