use serde_json::{Map, Value};

use crate::yaml;

/// A template as CloudFormation reads it.
pub struct Template {
    json: Value,
}

impl Template {
    /// `template.yaml`.
    pub fn sealpost() -> Self {
        Self::of(include_str!("../template.yaml"))
    }

    /// `demo-pool.yaml`.
    pub fn demo_pool() -> Self {
        Self::of(include_str!("../demo-pool.yaml"))
    }

    fn of(text: &str) -> Self {
        Self { json: yaml::read(text) }
    }

    /// All of it, with functions in their long forms.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// A section, such as `Outputs`.
    ///
    /// # Panics
    /// When there is none.
    pub fn section(&self, name: &str) -> &Map<String, Value> {
        self.json[name].as_object().unwrap_or_else(|| panic!("there is no section {name}"))
    }

    /// The properties of a resource.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn properties(&self, resource: &str) -> &Value {
        let properties = self.section("Resources").get(resource).and_then(|resource| resource.get("Properties"));
        properties.unwrap_or_else(|| panic!("there is no resource {resource}"))
    }

    /// Names and properties of all resources of a type.
    pub fn resources_of(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.section("Resources").iter();
        let of_kind = resources.filter(move |(_, resource)| resource["Type"] == kind);
        of_kind.map(|(name, resource)| (name.as_str(), &resource["Properties"]))
    }
}
