//! `POST|GET /v1/tickets/{ticket_no}/attachments`: evidence comes in as bytes and is named by their
//! digest; it goes out as a download and as nothing else. Must never learn what a file was called.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use duban_core::deadline::{Card, CardState};
use duban_core::definition::Action;
use duban_core::digest::Digest;
use duban_core::event::{Acted, Fact};
use duban_core::evidence::DIGEST;
use duban_core::limits::EVENTS_MAX;
use duban_core::name::Name;
use duban_core::rejection::Rejection;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::body::{NoQuery, Path, Query, receive};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::{Kind, Problem};
use super::super::sight::{Seen, Sight};
use super::super::view::ticket::ReceiptView;
use super::super::{Api, keys};
use crate::engine::{Declined, Keyed, Receipt, Task, Turn};
use crate::store::{Attachment, RequestKey, Side};
use crate::vault::VaultError;
use crate::{clock, crypto};

/// Bytes of a file.
pub(crate) const BYTES_MAX: u64 = 20 * 1024 * 1024;

/// Attachments of one side on one ticket: whoever gives it back must not have used up the room of
/// whoever gets it.
const ATTACHMENTS_MAX: u64 = 200;

/// Attachments on one list; a ticket goes through few hands.
const LISTED_MAX: u64 = 5_000;

/// Where a file is there and its record is not.
const KEPT: &str = "文件已保存，但尚未记入历史；请重新上传";

/// How much of a file is sent at once.
const PIECE: usize = 64 * 1024;

/// The action by which a ticket's history learns of a file that no other form names.
const ATTACH: &str = "attach";

/// What files may be: media type, how their names end, and what they are as evidence.
const TYPES: &[(&str, &str, Material)] = &[
    ("application/pdf", "pdf", Material::Document),
    ("application/ofd", "ofd", Material::Document),
    ("application/msword", "doc", Material::Document),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
        Material::Document,
    ),
    ("application/vnd.ms-excel", "xls", Material::Document),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
        Material::Document,
    ),
    ("application/zip", "zip", Material::Other),
    ("text/plain", "txt", Material::Document),
    ("image/jpeg", "jpg", Material::Photo),
    ("image/png", "png", Material::Photo),
    ("audio/mpeg", "mp3", Material::Recording),
    ("audio/mp4", "m4a", Material::Recording),
    ("audio/amr", "amr", Material::Recording),
    ("audio/wav", "wav", Material::Recording),
    ("video/mp4", "mp4", Material::Video),
];

/// The media types that files may have.
pub(crate) fn media_types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|(name, ..)| *name)
}

/// What a file is as evidence, in the words of the form `attach`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Material {
    /// 文书材料
    Document,
    /// 照片
    Photo,
    /// 录音
    Recording,
    /// 录像
    Video,
    /// 截图
    Screenshot,
    /// 其他
    Other,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upload {
    /// 材料类型；不写则按文件类型判断
    #[param(inline)]
    kind: Option<Material>,
}

/// A ticket's attachments, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttachmentsView {
    attachments: Vec<AttachmentView>,
}

/// An attachment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttachmentView {
    #[schema(value_type = String)]
    id: Uuid,
    /// SM3 of its bytes: what forms name it by.
    #[schema(example = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")]
    sm3: String,
    bytes: u64,
    #[schema(example = "application/pdf")]
    content_type: String,
    /// The agency that uploaded it; none where it was the hotline or a supervisor.
    agency: Option<String>,
    uploaded_by: String,
    #[schema(value_type = String, format = DateTime)]
    uploaded_at: Instant,
}

/// An attachment that has come in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadedView {
    attachment: AttachmentView,
    /// Of the action `attach`, where the caller could do it at this step; else the digest comes
    /// into the history with the form that names it.
    receipt: Option<ReceiptView>,
}

impl From<Attachment> for AttachmentView {
    fn from(one: Attachment) -> Self {
        Self {
            id: one.id,
            sm3: one.sm3.to_string(),
            bytes: one.bytes,
            content_type: one.content_type,
            agency: one.agency.map(|agency| agency.to_string()),
            uploaded_by: one.uploaded_by.to_string(),
            uploaded_at: one.uploaded_at,
        }
    }
}

/// 一件工单的附件
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_no}/attachments", tag = "tickets",
    params(("ticket_no" = String, Path, example = "HCP20260304000127-5")),
    responses(
        (status = 200, description = "附件，先上传的在前", body = AttachmentsView),
        (status = 404, description = "没有，或不在本单位", body = Problem),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(ticket_no): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<AttachmentsView>, Problem> {
    let found = api.attachments(&caller, &ticket_no).await?;
    let attachments = found.into_iter().map(AttachmentView::from).collect();
    Ok(Json(AttachmentsView { attachments }))
}

/// 下载一个附件
#[utoipa::path(
    get, path = "/v1/tickets/{ticket_no}/attachments/{id}", tag = "tickets",
    params(
        ("ticket_no" = String, Path, example = "HCP20260304000127-5"),
        ("id" = String, Path, example = "019531d4-0000-7000-8000-000000000001"),
    ),
    responses(
        (status = 200, description = "文件；已按摘要核对", body = String, content_type = "text/plain"),
        (status = 404, description = "没有，或不在本单位", body = Problem),
        (status = 429, description = "同时下载过多", body = Problem),
    )
)]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path((ticket_no, id)): Path<(String, String)>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Response, Problem> {
    let found = api.attachments(&caller, &ticket_no).await?;
    let one = found.into_iter().find(|one| one.id.to_string() == id);
    let one = one.ok_or_else(|| Problem::not_found("这个附件"))?;
    let slot = api.limits.transfer(caller.token)?;
    let (file, bytes) = api.vault.read(one.sm3).await?;
    if bytes != one.bytes {
        return Err(VaultError::Damaged.into());
    }
    let end = TYPES.iter().find(|(kind, ..)| *kind == one.content_type).map_or("bin", |one| one.1);
    // The place among transfers is held until the last piece has been taken.
    let pieces = futures::stream::unfold((file, slot), |(mut file, slot)| async {
        let mut piece = Vec::with_capacity(PIECE);
        match file.read_buf(&mut piece).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(Bytes::from(piece)), (file, slot))),
            // Whoever counts the bytes finds that some are missing.
            Err(error) => Some((Err(error), (file, slot))),
        }
    });
    let mut response = axum::body::Body::from_stream(pieces).into_response();
    let named = format!("attachment; filename=\"{ticket_no}-{}.{end}\"", &one.sm3.to_string()[..8]);
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Problem::fault());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, value(&one.content_type)?);
    headers.insert(header::CONTENT_LENGTH, one.bytes.into());
    headers.insert(header::CONTENT_DISPOSITION, value(&named)?);
    // Even whoever opens it in place finds nothing that runs.
    headers.insert(header::CONTENT_SECURITY_POLICY, value("default-src 'none'; sandbox")?);
    Ok(response)
}

/// 上传附件；请求体即文件，不超过 20 MB，不含文件名
#[utoipa::path(
    post, path = "/v1/tickets/{ticket_no}/attachments", tag = "tickets",
    params(
        ("ticket_no" = String, Path, example = "HCP20260304000127-5"), Upload,
        ("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键"),
    ),
    request_body(content((String = "text/plain")), description = "文件内容"),
    responses(
        (status = 201, description = "已保存；此刻可办“补充材料”的，摘要已记入历史，附回执", body = UploadedView),
        (status = 404, description = "没有，或不在本单位", body = Problem),
        (status = 403, description = "无权上传，或工单已不在本单位", body = Problem),
        (status = 409, description = "附件过多，所处环节不再接收附件，或同一文件正在上传", body = Problem),
        (status = 413, description = "超过 20 MB", body = Problem),
        (status = 415, description = "文件类型不支持", body = Problem),
        (status = 429, description = "同时上传过多", body = Problem),
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    caller: Caller,
    Path(ticket_no): Path<String>,
    Query(Upload { kind }): Query<Upload>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let store = api.engine.store();
    keys::readable(&headers)?;
    let reach = caller.may(Endpoint::Attach)?;
    let seen = api.seen(&reach, &ticket_no).await?;
    api.takes_file(&caller, &seen)?;
    let (content_type, usual) = content_type(&headers)?;
    let _slot = api.limits.transfer(caller.token)?;
    let mut file = api.vault.begin(crypto::identity(), clock::wall()).await?;
    receive(request, BYTES_MAX, &mut file).await?;
    if file.bytes == 0 {
        return Err(Problem::bad_request("文件是空的；请求体应为文件内容"));
    }
    // That took a while: the token may have been revoked, the ticket given to somebody else.
    if !caller.still_counts(&api).await {
        return Err(Problem::unauthenticated());
    }
    let seen = api.seen(&reach, &ticket_no).await?;
    api.takes_file(&caller, &seen)?;
    let sm3 = file.end().await?;
    let own = caller.agency.as_ref();
    let side = own.map(Name::as_str).unwrap_or_default();
    let material = kind.unwrap_or(usual);
    let operation = format!("POST /v1/tickets/{ticket_no}/attachments");
    let body = json!([sm3, content_type, material, side]).to_string().into();
    let key = keys::keyed(&headers, &caller, &operation, &body, 201)?;
    let keep = async |turn: &Turn| {
        let there = store.attachments(seen.id, Side::Of(own), ATTACHMENTS_MAX).await?;
        let is_same = |one: &Attachment| one.sm3 == sm3 && one.content_type == content_type;
        if there.len() as u64 >= ATTACHMENTS_MAX && !there.iter().any(is_same) {
            return Err(Problem::new(Kind::AttachmentsFull, "一个单位在一件工单上至多 200 个附件"));
        }
        let new = Attachment {
            id: turn.about,
            ticket: seen.id,
            sm3,
            bytes: file.bytes,
            content_type: content_type.to_owned(),
            agency: own.cloned(),
            uploaded_by: caller.subject.clone(),
            uploaded_at: api.engine.clock().now(),
        };
        // The file before its row: a row without a file would promise what is not there.
        file.keep().await?;
        let kept = store.add_attachment(&new).await?;
        let recorded = api.recorded(&caller, seen.id, sm3).await;
        let mut receipt = recorded.map_err(|problem| problem.saying(KEPT))?;
        // What was done before is answered as it was, and does nothing new.
        if receipt.is_none() && !turn.is_done {
            receipt = api.record(&caller, seen.id, sm3, material).await?;
        }
        Ok(UploadedView { attachment: kept.into(), receipt: receipt.map(ReceiptView::from) })
    };
    let (view, repeated) = api.once(key, 0, keep).await?;
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

/// The media type of an upload, with what such files usually are.
fn content_type(headers: &HeaderMap) -> Result<(&'static str, Material), Problem> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        let detail = "请原样上传文件，不要使用 Content-Encoding";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    let sent = headers.get(header::CONTENT_TYPE).and_then(|sent| sent.to_str().ok());
    let sent = sent.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let found = TYPES.iter().find(|(kind, ..)| sent.eq_ignore_ascii_case(kind));
    found.map(|(name, _, kind)| (*name, *kind)).ok_or_else(|| {
        let known: Vec<&str> = media_types().collect();
        let detail = format!("请以文件类型为 Content-Type；可用：{}", known.join("、"));
        Problem::new(Kind::UnsupportedMediaType, detail)
    })
}

impl Api {
    /// The attachments of a ticket that a caller may see: an agency that no longer has it sees its
    /// own.
    async fn attachments(
        &self,
        caller: &Caller,
        ticket_no: &str,
    ) -> Result<Vec<Attachment>, Problem> {
        let reach = caller.may(Endpoint::ReadAttachments)?;
        let Seen { id, sight, .. } = self.seen(&reach, ticket_no).await?;
        let side = match sight {
            Sight::Whole => Side::All,
            Sight::Former { .. } => Side::Of(caller.agency.as_ref()),
        };
        Ok(self.engine.store().attachments(id, side, LISTED_MAX).await?)
    }

    /// Whether a file of a caller's can still become evidence: somebody must be able to name it at
    /// this step, and whoever no longer has the ticket must have a card to object to.
    ///
    /// # Errors
    /// It cannot.
    fn takes_file(&self, caller: &Caller, seen: &Seen) -> Result<(), Problem> {
        let instance = &seen.loaded.instance;
        let own_card =
            |card: &Card| card.agency == caller.agency && card.state != CardState::Revoked;
        if seen.sight != Sight::Whole && !instance.cards.iter().any(own_card) {
            return Err(Problem::new(Kind::NotYours, "工单已不在本单位，也没有可提出异议的牌"));
        }
        let definition = self.engine.knowledge().context().definition(instance)?;
        let step = definition.step(instance.step.as_str());
        let names_files = |action: &Action| {
            let form = definition.form(action.form.as_str());
            let fields = form.and_then(|form| form.schema["properties"].as_object());
            let names = |field: &Value| field["items"]["properties"][DIGEST].is_object();
            fields.is_some_and(|fields| fields.values().any(names))
        };
        if step.is_some_and(|step| definition.possible_in(step).any(names_files)) {
            return Ok(());
        }
        let title = step.map(|step| step.title.as_str()).unwrap_or_default();
        Err(Problem::new(Kind::WrongStep, format!("工单处于“{title}”，不再接收附件")))
    }

    /// Takes a file into a ticket's history, if the caller may do that at this step.
    async fn record(
        &self,
        caller: &Caller,
        ticket: TicketId,
        sm3: Digest,
        kind: Material,
    ) -> Result<Option<Receipt>, Problem> {
        let form = json!({"attachments": [{"sm3": sm3, "kind": kind}]});
        let (action, actor) = (Name::from(ATTACH), caller.actor());
        let task = Task::Act { ticket, action, actor, form, revision: None, fault: None };
        let arrival = self.engine.arrive().await;
        match self.engine.submit(&arrival, task, Some(of_file(caller, ticket, sm3))).await {
            Ok(done) => Ok(done.receipt),
            // Not his to do, or not at this step: the file waits for a form that names it.
            Err(Declined::Rejected(
                Rejection::NotYours
                | Rejection::NotPermitted { .. }
                | Rejection::WrongStep { .. }
                | Rejection::UnknownAction { .. }
                | Rejection::Guarded { .. },
            )) => Ok(None),
            Err(Declined::KeyRunning) => {
                Err(Problem::new(Kind::KeyRunning, "同一文件正在上传，请稍后再查"))
            }
            Err(declined @ Declined::OutcomeUnknown) => Err(declined.into()),
            Err(Declined::Rejected(rejection)) => {
                let why = format!("文件已保存，但不能记入历史：{rejection}");
                Err(Problem::from(rejection).saying(&why))
            }
            Err(declined) => Err(Problem::from(declined).saying(KEPT)),
        }
    }

    /// The receipt of the action `attach` by which the caller's side has named a file before.
    async fn recorded(
        &self,
        caller: &Caller,
        ticket: TicketId,
        sm3: Digest,
    ) -> Result<Option<Receipt>, Problem> {
        let name = sm3.to_string();
        let history = self.engine.store().history(ticket, 0, EVENTS_MAX).await?;
        for one in history.iter().filter(|one| contains(&one.bytes, name.as_bytes())) {
            let event = one.event()?;
            let is_own =
                |acted: &Acted| acted.action.as_str() == ATTACH && acted.agency == caller.agency;
            if matches!(&event.fact, Fact::Acted(acted) if is_own(acted)) {
                let (seq, hash, at, arrived_at) = (event.seq, one.hash, event.at, event.arrived_at);
                return Ok(Some(Receipt { seq, hash, at, arrived_at }));
            }
        }
        Ok(None)
    }
}

/// One side takes one file into a ticket's history once, on whatever node and however often it is
/// sent, even where nobody waited for the answer.
fn of_file(caller: &Caller, ticket: TicketId, sm3: Digest) -> Keyed {
    let side = caller.agency.as_ref().map(Name::as_str).unwrap_or_default();
    let (operation, key) = (format!("{ATTACH} {ticket}"), sm3.to_string());
    let key = RequestKey { subject: side.into(), operation, key };
    Keyed { key, body: [].into(), status: 201 }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
