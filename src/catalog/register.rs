//! The register: agencies, districts and review tags by code, embedded or out of a folder. Must
//! never hold a person.

use std::collections::BTreeMap;
use std::path::Path;

use duban_core::name::Name;
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::error::Category;

use super::{CatalogError, Source, texts};
use duban_core::definition::Text;
use duban_core::document::{Fault, Faults};
use duban_core::echo::echo;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/catalog/register");

/// Agencies, districts and tags by code.
#[derive(Clone, Debug, Default)]
pub struct Register {
    agencies: BTreeMap<Name, String>,
    districts: BTreeMap<Name, String>,
    tags: BTreeMap<Name, String>,
}

#[derive(Deserialize)]
struct AgencyFile {
    agencies: Vec<Coded>,
}

#[derive(Deserialize)]
struct DistrictFile {
    districts: Vec<Coded>,
}

#[derive(Deserialize)]
struct Coded {
    code: String,
    name: String,
}

#[derive(Deserialize)]
struct TagFile {
    national: Vec<Tag>,
    local_synthetic: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    code: u32,
    text: String,
}

impl Register {
    /// Reads `agencies.json`, `districts.json` and `tags.json`. What a folder does not have is the
    /// embedded one.
    ///
    /// # Errors
    /// A folder that cannot be used, or a file that is not of this shape.
    pub fn read(source: &Source) -> Result<Self, CatalogError> {
        let mut register = Self::default();
        register.take_all(texts(source, &EMBEDDED, "json")?)?;
        let mut embedded = Self::default();
        embedded.take_all(texts(&Source::Embedded, &EMBEDDED, "json")?)?;
        for (own, other) in [
            (&mut register.agencies, embedded.agencies),
            (&mut register.districts, embedded.districts),
            (&mut register.tags, embedded.tags),
        ] {
            if own.is_empty() {
                *own = other;
            }
        }
        Ok(register)
    }

    fn take_all(&mut self, texts: Vec<Text>) -> Result<(), CatalogError> {
        let mut faults = Vec::new();
        for text in texts {
            let taken = text.and_then(|(file, text)| {
                let name = Path::new(&file).file_name().unwrap_or_default().to_string_lossy();
                let taken = self.take(&name, &text);
                taken.map_err(|Wrong { line, message }| Fault {
                    file: file.clone(),
                    line,
                    key: String::new(),
                    message,
                })
            });
            faults.extend(taken.err());
        }
        if faults.is_empty() { Ok(()) } else { Err(CatalogError::Faults(Faults(faults))) }
    }

    fn take(&mut self, file: &str, text: &str) -> Result<(), Wrong> {
        let coded = |all: Vec<Coded>| all.into_iter().map(|one| (one.code.into(), one.name));
        match file {
            "agencies.json" => {
                let AgencyFile { agencies } = read(text, "agencies 中各项须有 code 和 name")?;
                fill(&mut self.agencies, coded(agencies))
            }
            "districts.json" => {
                let DistrictFile { districts } = read(text, "districts 中各项须有 code 和 name")?;
                fill(&mut self.districts, coded(districts))
            }
            "tags.json" => {
                let shape = "national 和 local_synthetic 中各项须有 code 和 text";
                let TagFile { national, local_synthetic } = read(text, shape)?;
                let all = national.into_iter().chain(local_synthetic);
                fill(&mut self.tags, all.map(|tag| (tag.code.to_string().into(), tag.text)))
            }
            _ => Err(Wrong {
                line: 1,
                message: "名册目录中只用 agencies.json、districts.json、tags.json，请核对文件名"
                    .to_owned(),
            }),
        }
    }

    /// The name of an agency.
    #[must_use]
    pub fn agency(&self, code: &str) -> Option<&str> {
        self.agencies.get(code).map(String::as_str)
    }

    /// Every agency, by code.
    pub fn agencies(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.agencies.iter().map(|(code, name)| (code, name.as_str()))
    }

    /// The name of a district.
    #[must_use]
    pub fn district(&self, code: &str) -> Option<&str> {
        self.districts.get(code).map(String::as_str)
    }

    /// Every district, by code.
    pub fn districts(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.districts.iter().map(|(code, name)| (code, name.as_str()))
    }

    /// Every review tag, by code.
    pub fn tags(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.tags.iter().map(|(code, text)| (code, text.as_str()))
    }

    /// A text with the names of agencies in place of their codes.
    #[must_use]
    pub fn named(&self, text: &str) -> String {
        named(text, |code| self.agency(code).unwrap_or(code))
    }

    /// What a review tag says.
    #[must_use]
    pub fn tag(&self, code: &str) -> Option<&str> {
        self.tags.get(code).map(String::as_str)
    }
}

/// A text whose words of letters and digits are put otherwise, where there is another way to put one.
pub fn named<'t>(text: &'t str, put: impl Fn(&'t str) -> &'t str) -> String {
    let mut named = String::with_capacity(text.len());
    let is_code = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut rest = text;
    while let Some(start) = rest.find(is_code) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|letter| !is_code(letter)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        named.push_str(before);
        named.push_str(put(word));
        rest = after;
    }
    named.push_str(rest);
    named
}

/// What is wrong with a file.
struct Wrong {
    line: usize,
    message: String,
}

fn read<T: serde::de::DeserializeOwned>(text: &str, shape: &str) -> Result<T, Wrong> {
    serde_json::from_str(text).map_err(|error| {
        let message = match error.classify() {
            Category::Syntax | Category::Eof => {
                format!("不是有效的 JSON：第 {} 列附近", error.column().max(1))
            }
            Category::Data | Category::Io => format!("不是预期的 JSON 结构：{shape}"),
        };
        Wrong { line: error.line().max(1), message }
    })
}

/// Puts entries into a register: some, and each code once.
fn fill(
    register: &mut BTreeMap<Name, String>,
    entries: impl Iterator<Item = (Name, String)>,
) -> Result<(), Wrong> {
    for (code, name) in entries {
        if let Some(before) = register.insert(code.clone(), name) {
            let message =
                format!("代码“{}”写了两次，前一次是“{}”", echo(code.as_str()), echo(&before));
            return Err(Wrong { line: 1, message });
        }
    }
    if register.is_empty() {
        return Err(Wrong {
            line: 1, message: "名册是空的；不用自己的，请删去此文件".to_owned()
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_register_is_whole() {
        let register = Register::read(&Source::Embedded).expect("good");
        assert_eq!(register.agency("SZ002"), Some("深圳市民生诉求服务中心（12345）"));
        assert_eq!(register.district("440304"), Some("福田区"));
        assert_eq!((register.agencies().count(), register.districts().count()), (48, 11));
        assert_eq!(register.tag("110"), Some("无理由超过法定办理时间"));
        assert_eq!(register.agency("13800001234"), None);
    }
}
