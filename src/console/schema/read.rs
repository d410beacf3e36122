//! What a browser sent of a form, and the JSON that it stands for. Must never add anything that was not
//! filled in, nor read more than a form may be.

use axum::body::Bytes;
use axum::extract::Multipart;
use axum::extract::multipart::MultipartError;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Field, Form, Kind};
use crate::console::told::Told;
use crate::console::words::Lang;

/// What was sent, in order.
#[derive(Default)]
pub(in crate::console) struct Sent {
    pairs: Vec<(String, String)>,
    pub(in crate::console) files: Vec<File>,
}

/// A file that was sent with a form.
pub(in crate::console) struct File {
    /// The field that it is for.
    pub(in crate::console) pointer: String,
    content_type: String,
    /// What stands behind the last point of its name.
    ending: String,
    pub(in crate::console) bytes: Bytes,
}

impl File {
    /// What it is: as the browser says, or where that is no kind that is known (every office program
    /// has its own), as the ending of its name says.
    pub(in crate::console) fn media_type(&self) -> &str {
        let told = self.content_type.as_str();
        let named = ENDINGS.iter().find(|(ending, _)| *ending == self.ending);
        if ENDINGS.iter().any(|(_, known)| *known == told) {
            return told;
        }
        named.map_or(told, |(_, known)| known)
    }

    /// How its name ends, as far as it tells what it is.
    pub(in crate::console) fn ending(&self) -> Option<&str> {
        let is_short = (1..=5).contains(&self.ending.len());
        let is_plain = self.ending.chars().all(|one| one.is_ascii_alphanumeric());
        (is_short && is_plain).then_some(self.ending.as_str())
    }
}

/// How the names of files end that may be evidence, and what these are.
const ENDINGS: &[(&str, &str)] = &[
    ("pdf", "application/pdf"),
    ("ofd", "application/ofd"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("zip", "application/zip"),
    ("txt", "text/plain"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("amr", "audio/amr"),
    ("wav", "audio/wav"),
    ("mp4", "video/mp4"),
];

/// Files that are there by now: the field, the digest, what it is as evidence.
pub(in crate::console) type Files = Vec<(String, String)>;

impl Sent {
    /// Reads all of it.
    ///
    /// # Errors
    /// It is cut off, or larger than a form may be.
    pub(in crate::console) async fn read(body: Multipart, lang: Lang) -> Result<Self, Told> {
        Self::whole(body).await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Told::too_large(lang),
            _ => Told::cut_off(lang),
        })
    }

    async fn whole(mut body: Multipart) -> Result<Self, MultipartError> {
        let mut sent = Self::default();
        while let Some(field) = body.next_field().await? {
            let name = field.name().unwrap_or_default().to_owned();
            if field.file_name().is_none() {
                // Browsers end a line with two characters, of which the form counts one.
                sent.pairs.push((name, field.text().await?.replace("\r\n", "\n")));
                continue;
            }
            let name_of_file = field.file_name().unwrap_or_default();
            let is_chosen = !name_of_file.is_empty();
            let (_, ending) = name_of_file.rsplit_once('.').unwrap_or_default();
            let ending = ending.to_ascii_lowercase();
            let content_type = field.content_type().unwrap_or_default().to_owned();
            let bytes = field.bytes().await?;
            // A browser sends one without a name where none was chosen.
            if is_chosen {
                sent.files.push(File { pointer: name, content_type, ending, bytes });
            }
        }
        Ok(sent)
    }

    /// What a form of buttons alone has sent.
    pub(in crate::console) fn of(pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { pairs: pairs.collect(), files: Vec::new() }
    }

    /// The first of a name; empty where there is none.
    pub(in crate::console) fn one(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// All of a name.
    pub(in crate::console) fn all<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        let name = name.to_owned();
        self.pairs.iter().filter(move |(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    pub(in crate::console) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Every text that was typed into a form, with the title of its field, for whoever may not send it
    /// any more.
    pub(in crate::console) fn typed<'f>(&'f self, form: &'f Form) -> Vec<(&'f str, &'f str)> {
        self.typed_in(&form.fields)
    }

    fn typed_in<'f>(&'f self, fields: &'f [Field]) -> Vec<(&'f str, &'f str)> {
        let mut all = Vec::new();
        for field in fields {
            match &field.kind {
                Kind::Group(fields) => all.extend(self.typed_in(fields)),
                Kind::Line | Kind::Text => {
                    let typed = self.all(&field.pointer).filter(|text| !text.trim().is_empty());
                    all.extend(typed.map(|text| (field.title.as_str(), text)));
                }
                _ => {}
            }
        }
        all
    }

    /// Files that are there by now are taken for chosen.
    pub(in crate::console) fn choose(&mut self, files: Files) {
        self.pairs.extend(files);
    }

    /// As the API takes it.
    pub(in crate::console) fn json(&self, form: &Form) -> Value {
        Value::Object(self.object(&form.fields))
    }

    fn object(&self, fields: &[Field]) -> Map<String, Value> {
        let mut all = Map::new();
        for field in fields {
            let name = field.pointer.rsplit('/').next().unwrap_or_default();
            if let Some(value) = self.value(field) {
                all.insert(name.to_owned(), value);
            }
        }
        all
    }

    fn value(&self, field: &Field) -> Option<Value> {
        let first = self.one(&field.pointer).trim();
        let all = || self.all(&field.pointer).filter(|value| !value.is_empty());
        match &field.kind {
            Kind::Group(fields) => {
                let all = self.object(fields);
                (field.is_required || !all.is_empty()).then_some(Value::Object(all))
            }
            Kind::Several(_) => {
                let all: Vec<&str> = all().collect();
                (!all.is_empty()).then(|| json!(all))
            }
            Kind::Files => {
                let evidence = |one: &str| {
                    let (sm3, kind) = one.split_once(' ')?;
                    Some(json!({"sm3": sm3, "kind": kind}))
                };
                let all: Vec<Value> = all().filter_map(evidence).collect();
                (!all.is_empty()).then(|| json!(all))
            }
            Kind::Flag => (!first.is_empty()).then_some(Value::Bool(true)),
            _ if first.is_empty() => None,
            Kind::Number => Some(first.parse::<i64>().map_or_else(|_| json!(first), Value::from)),
            Kind::Instant => Some(json!(instant(first))),
            Kind::Line | Kind::Text | Kind::Day | Kind::Choice(_) | Kind::Agency | Kind::Card => {
                Some(json!(first))
            }
        }
    }
}

/// A browser's local time is that of the calendars.
fn instant(text: &str) -> String {
    match text.len() {
        16 => format!("{text}:00+08:00"),
        19 => format!("{text}+08:00"),
        _ => text.to_owned(),
    }
}

/// What a file of a media type is as evidence.
pub(in crate::console) fn material(content_type: &str) -> &'static str {
    match content_type.split('/').next() {
        Some("image") => "photo",
        Some("audio") => "recording",
        Some("video") => "video",
        _ if content_type == "application/zip" => "other",
        _ => "document",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Source, shelf};

    fn form(name: &str) -> Form {
        let shelf = shelf(&Source::Embedded).expect("the shelf");
        let definition = shelf.by_name("matter").expect("matter");
        Form::of(&definition.form(name).expect("the form").schema)
    }

    #[test]
    fn what_was_filled_in_and_nothing_else_becomes_json() {
        let sent = Sent::of(&[
            ("seal", "x"),
            ("/reason", " 需要会商 "),
            ("/new_due_date", "2026-03-12"),
            ("/reviewer_informed/channel", "phone"),
            ("/reviewer_informed/at", "2026-03-06T09:30"),
            ("/reviewer_informed/outcome", "informed"),
            ("/proof", "66c7 photo"),
            ("/unknown", "y"),
        ]);
        let form = form("request_extension");
        let expected = json!({
            "reason": "需要会商",
            "new_due_date": "2026-03-12",
            "reviewer_informed": {"channel": "phone", "at": "2026-03-06T09:30:00+08:00", "outcome": "informed"},
            "proof": [{"sm3": "66c7", "kind": "photo"}],
        });
        assert_eq!(sent.json(&form), expected);
    }

    #[test]
    fn what_was_typed_is_told_by_its_field_however_short() {
        let sent = Sent::of(&[
            ("/note", "当事人拒绝"),
            ("/outcome", "refused"),
            ("/attempted_at", "2026-03-06T09:30"),
        ]);
        let form = form("record_contact");
        let typed = sent.typed(&form);
        assert_eq!(typed.iter().map(|(_, text)| *text).collect::<Vec<_>>(), ["当事人拒绝"]);
        assert!(!typed[0].0.is_empty() && !typed[0].0.contains("note"), "{}", typed[0].0);
    }

    #[test]
    fn a_file_is_what_its_browser_or_its_name_says() {
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        for (told, ending, is) in [
            ("application/wps-office.docx", "docx", docx),
            ("application/octet-stream", "doc", "application/msword"),
            ("", "ofd", "application/ofd"),
            ("audio/x-wav", "wav", "audio/wav"),
            ("image/pjpeg", "jpg", "image/jpeg"),
            ("application/x-zip-compressed", "zip", "application/zip"),
            ("application/pdf", "exe", "application/pdf"),
            ("text/html", "html", "text/html"),
        ] {
            let file = File {
                pointer: String::new(),
                content_type: told.to_owned(),
                ending: ending.to_owned(),
                bytes: Bytes::new(),
            };
            assert_eq!(file.media_type(), is, "{told} {ending}");
        }
    }

    #[test]
    fn an_empty_form_is_empty() {
        let nothing = Sent::of(&[("/note", ""), ("/agency", "  ")]);
        assert_eq!(nothing.json(&form("dispatch")), json!({}));
        // A required group says what is missing in it.
        assert_eq!(Sent::of(&[]).json(&form("feed_back")), json!({"reviewer_informed": {}}));
    }

    /// Every form that is shipped can be filled in: each of its fields has a kind of its own.
    #[test]
    fn every_shipped_form_is_drawn_whole() {
        fn count(fields: &[Field]) -> usize {
            let inner = |field: &Field| match &field.kind {
                Kind::Group(fields) => count(fields),
                _ => 1,
            };
            fields.iter().map(inner).sum()
        }
        let shelf = shelf(&Source::Embedded).expect("the shelf");
        let mut all = 0;
        for definition in shelf.newest() {
            for action in &definition.actions {
                let form = definition.form(action.form.as_str()).expect("a form");
                let fields = Form::of(&form.schema).fields;
                let choices = fields.iter().filter(|field| match &field.kind {
                    Kind::Choice(all) | Kind::Several(all) => all.is_empty(),
                    _ => false,
                });
                assert_eq!(choices.count(), 0, "{}", action.name);
                all += count(&fields);
            }
        }
        assert!(all > 60, "{all}");
    }
}
