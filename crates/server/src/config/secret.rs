//! References to secrets: the configuration never has a secret itself.

use policy_file::reader::{Faulted, Item};

use super::{read::Around, shown};

/// The text that a reference leads to; no fault shows more of it than a name or path after the
/// right prefix. `what` says in a remedy what belongs there.
pub(super) fn text(
    item: &mut Item<'_, '_>,
    around: &Around<'_>,
    what: &str,
) -> Result<String, Faulted> {
    let text = referenced(item, around, what)?;
    if text.is_empty() {
        return Err(item.fault("a secret must not be empty", format!("put {what} there")));
    }
    Ok(text)
}

fn referenced(item: &mut Item<'_, '_>, around: &Around<'_>, what: &str) -> Result<String, Faulted> {
    let reference = item.text()?;
    if let Some(name) = reference.strip_prefix("env:") {
        let text = around.environment.get(name).map(str::to_owned);
        text.ok_or_else(|| {
            item.fault(
                format!("needs the environment variable {}, which is not set", shown(name)),
                format!("set it to {what}"),
            )
        })
    } else if let Some(path) = reference.strip_prefix("file:") {
        let path = around.folder.join(path);
        let text = (around.files)(&path).map_err(|error| {
            item.fault(
                format!("needs the file {}, which can't be read ({error})", shown(path.display())),
                format!("put {what} there"),
            )
        })?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    } else {
        Err(item.fault(
            "is no reference to a secret",
            "write \"env:NAME\" or \"file:PATH\", never the secret itself",
        ))
    }
}
