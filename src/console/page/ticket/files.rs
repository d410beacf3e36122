//! Evidence of a ticket: what is there, and what comes in. Must never show a file in the page, nor say
//! what it was called.

use axum::body::Body;
use axum::extract::{Multipart, Path};
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use duban_core::time::Instant;
use maud::{Markup, html};
use serde::Deserialize;

use super::deed::Attempt;
use super::{Page, act, path};
use crate::console::ask::segment;
use crate::console::part::{form, when};
use crate::console::schema::{File, Sent, material};
use crate::console::told::{FILES, Told};
use crate::console::visit::Visit;
use crate::console::words::Lang;

const KILO: u64 = 1_024;

/// A file that is there.
#[derive(Deserialize)]
pub(super) struct Attachment {
    id: String,
    sm3: String,
    bytes: u64,
    content_type: String,
    agency: Option<String>,
    pub(super) uploaded_at: Instant,
}

#[derive(Deserialize)]
struct Attachments {
    attachments: Vec<Attachment>,
}

#[derive(Deserialize)]
struct Uploaded {
    attachment: Attachment,
}

impl Attachment {
    /// All of a ticket; none where somebody may not look at them.
    pub(super) async fn all(visit: &Visit, path: &str) -> Result<Vec<Self>, Told> {
        if !visit.me.may("GET /v1/tickets/{ticket_no}/attachments") {
            return Ok(Vec::new());
        }
        Ok(visit.ask.get::<Attachments>(&format!("{path}/attachments")).await?.attachments)
    }

    /// As a form offers it.
    pub(super) fn choice(&self, lang: Lang) -> (String, String) {
        (format!("{} {}", self.sm3, material(&self.content_type)), self.title(lang))
    }

    fn title(&self, lang: Lang) -> String {
        let kind = match material(&self.content_type) {
            "photo" => lang.of("照片", "Photo"),
            "recording" => lang.of("录音", "Recording"),
            "video" => lang.of("录像", "Video"),
            "document" => lang.of("文书材料", "Document"),
            _ => lang.of("其他", "Other"),
        };
        let size = match self.bytes / KILO {
            kilo @ 0..KILO => format!("{} KB", kilo.max(1)),
            kilo => {
                format!("{:.1} MB", f64::from(u32::try_from(kilo).unwrap_or(u32::MAX)) / 1_024.0)
            }
        };
        format!("{kind} · {size} · {}", when::minute(lang, self.uploaded_at))
    }
}

/// Brings a file in; its digest.
pub(super) async fn upload(visit: &Visit, path: &str, file: &File) -> Result<String, Told> {
    let request = Request::post(format!("{path}/attachments"))
        .header(header::CONTENT_TYPE, file.media_type())
        .header(header::CONTENT_LENGTH, file.bytes.len());
    let request =
        request.body(Body::from(file.bytes.clone())).map_err(|_| Told::fault(visit.lang))?;
    if file.bytes.is_empty() {
        return Err(Told::empty_file(visit.lang));
    }
    Ok(visit.ask.send::<Uploaded>(request).await?.attachment.sm3)
}

/// Why one of several files did not come in, and which.
pub(super) fn not_taken(lang: Lang, told: Told, (place, file): (usize, &File), of: usize) -> Told {
    let ending = file.ending().map(|ending| format!(".{ending}")).unwrap_or_default();
    match (lang, of) {
        (_, 1) => told,
        (Lang::Chinese, _) => {
            told.saying(|why| format!("共 {of} 个文件，第 {place} 个（{ending}）未收：{why}"))
        }
        (Lang::English, _) => {
            told.saying(|why| format!("File {place} of {of} ({ending}) was not taken: {why}"))
        }
    }
}

/// `POST /tickets/{number}/files`.
pub(in crate::console) async fn post(
    visit: Visit,
    Path(number): Path<String>,
    body: Multipart,
) -> Response {
    let sent = match Sent::read(body, visit.lang).await {
        Ok(sent) => sent,
        Err(told) => return refused(&visit, &number, told).await,
    };
    if !form::is_sealed(&visit, sent.one(form::SEAL)) {
        return visit.foreign();
    }
    let mut not_in: Option<Told> = None;
    for (place, file) in (1..).zip(&sent.files) {
        let Err(told) = upload(&visit, &path(&number), file).await else { continue };
        // What holds for this one holds for the next; what is its own fault does not.
        let is_its_own = matches!(told.status, 400 | 413 | 415 | 422);
        let told = not_taken(visit.lang, told, (place, file), sent.files.len());
        not_in = Some(match not_in {
            None => told,
            Some(first) => first.saying(|why| format!("{why}；{}", told.detail)),
        });
        if !is_its_own {
            break;
        }
    }
    if let Some(told) = not_in {
        return refused(&visit, &number, told).await;
    }
    Redirect::to(&format!("/tickets/{}#files", segment(&number))).into_response()
}

/// The ticket's page, on which those stand that came in, and why the others did not.
async fn refused(visit: &Visit, number: &str, told: Told) -> Response {
    let attempt = Attempt { told: Some(told), ..Attempt::default() };
    act::refused(visit, number, attempt).await
}

/// `GET /tickets/{number}/files/{id}`: the file, as the API gives it out.
pub(in crate::console) async fn get(
    visit: Visit,
    Path((number, id)): Path<(String, String)>,
) -> Response {
    let address = format!("{}/attachments/{}", path(&number), segment(&id));
    match Request::get(address).body(Body::empty()) {
        Ok(request) => {
            let response = visit.ask.carry(request).await;
            if response.status().is_success() {
                return response;
            }
            visit.page(&number, Err(Told::of(visit.lang, response).await))
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

impl Page<'_> {
    pub(super) fn attachments(&self) -> Markup {
        let lang = self.visit.lang;
        let may = |operation: &str| self.visit.me.may(operation);
        if !may("GET /v1/tickets/{ticket_no}/attachments") {
            return html! {};
        }
        let brings = !self.is_past && may("POST /v1/tickets/{ticket_no}/attachments");
        html! {
            section.panel id="files" {
                header { h2 { (lang.of("附件", "Attachments")) } }
                @if self.files.is_empty() { p.dim { (lang.of("没有附件。", "None.")) } }
                ul.files {
                    @for file in &self.files {
                        li {
                            a href={ "/tickets/" (self.ticket.number) "/files/" (file.id) } download { (file.title(lang)) }
                            @if let Some(agency) = &file.agency { " " small { (self.rules.agency(agency)) } }
                            " " code { (file.sm3.get(..8).unwrap_or_default()) }
                        }
                    }
                }
                @if brings {
                    form method="post" action={ "/tickets/" (self.ticket.number) "/files" } enctype="multipart/form-data" data-once {
                        (form::seal(self.visit))
                        input type="file" name="file" multiple required aria-label=(lang.of("选择文件", "Choose files"));
                        div.foot {
                            small { (lang.of(FILES.0, FILES.1)) }
                            button { (lang.of("上传", "Upload")) }
                        }
                    }
                }
            }
        }
    }
}
