//! The tags of a key: what stands behind its first `;`, each `name=value` or a name alone.

/// The name of a tag as it stands in a key.
fn name(tag: &str) -> &str {
    tag.split_once('=').map_or(tag, |(name, _)| name)
}

fn value(tag: &str) -> &str {
    tag.split_once('=').map_or("", |(_, value)| value)
}

/// Splits a key into its name and its tags, which are empty where there are none.
pub(crate) fn split(key: &str) -> (&str, &str) {
    key.split_once(';').unwrap_or((key, ""))
}

/// Whether tags hold one of that name, with that value or, for `*`, any.
pub(crate) fn has(tags: &str, wanted: &str, wanted_value: &str) -> bool {
    tags.split(';').any(|tag| name(tag) == wanted && (wanted_value == "*" || value(tag) == wanted_value))
}

/// Tags that are being edited.
pub(crate) struct Tags {
    list: Vec<String>,
}

impl Tags {
    pub(crate) fn new(tags: &str) -> Self {
        Self { list: if tags.is_empty() { Vec::new() } else { tags.split(';').map(str::to_owned).collect() } }
    }

    /// Remove the tags of that name; `*` removes all.
    pub(crate) fn remove(&mut self, wanted: &str) {
        self.list.retain(|tag| wanted != "*" && name(tag) != wanted);
    }

    /// Set a tag: where one of that name stands, else at the end. An empty value removes it.
    pub(crate) fn set(&mut self, wanted: &str, value: &str) {
        let place = self.list.iter().position(|tag| name(tag) == wanted).unwrap_or(self.list.len());
        self.remove(wanted);
        if !value.is_empty() {
            self.list.insert(place.min(self.list.len()), format!("{wanted}={value}"));
        }
    }

    pub(crate) fn has(&self, wanted: &str) -> bool {
        self.list.iter().any(|tag| name(tag) == wanted)
    }

    /// A key of a name and these tags.
    pub(crate) fn key(&self, name: &str) -> String {
        let mut key = name.to_owned();
        for tag in &self.list {
            key.push(';');
            key.push_str(tag);
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_set_in_place_and_removed() {
        let mut tags = Tags::new("a=1;b;c=3;a=4");
        tags.set("a", "2");
        tags.set("d", "5");
        tags.set("c", "");
        tags.remove("b");
        assert_eq!(tags.key("n"), "n;a=2;d=5");
        tags.remove("*");
        assert_eq!(tags.key("n"), "n");
    }

    #[test]
    fn tags_are_found_by_name_and_value() {
        let tags = "a=1;b;c=x=y";
        let found = [has(tags, "a", "1"), has(tags, "b", ""), has(tags, "b", "*"), has(tags, "c", "x=y")];
        assert_eq!(found, [true; 4]);
        assert!(!has(tags, "a", "2") && !has(tags, "z", "*"));
        assert_eq!(split("n;a=1;b"), ("n", "a=1;b"));
    }
}
