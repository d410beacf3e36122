//! `POST|GET /v1/tickets/{ticket_no}/attachments`: evidence comes in as bytes and is named by their
//! digest; it goes out as a download and as nothing else. Must never learn what a file was called.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::body::{NoQuery, Path, Query, plain, receive};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::{Kind, Problem};
use super::super::sight::{Seen, Sight};
use super::super::upload::Upload;
use super::super::view::ticket::ReceiptView;
use super::super::{Api, keys};
use crate::store::{Attachment, Side};
use crate::vault::VaultError;
use crate::{clock, crypto};

/// Bytes of a file.
pub(crate) const BYTES_MAX: u64 = 20 * 1024 * 1024;

/// Attachments on one list; a ticket goes through few hands.
const LISTED_MAX: u64 = 5_000;

/// How much of a file is sent at once.
const PIECE: usize = 64 * 1024;

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
pub(crate) struct Described {
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
        ("ticket_no" = String, Path, example = "HCP20260304000127-5"), Described,
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
    Query(Described { kind }): Query<Described>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    keys::readable(&headers)?;
    let reach = caller.may(Endpoint::Attach)?;
    let seen = api.seen(&reach, &ticket_no).await?;
    api.takes_file(&caller, &seen)?;
    let (content_type, usual) = content_type(&headers)?;
    let slot = api.limits.transfer(caller.token)?;
    let mut file = api.vault.begin(crypto::identity(), clock::wall()).await?;
    receive(request, BYTES_MAX, &mut file).await?;
    if file.bytes == 0 {
        return Err(Problem::bad_request("文件是空的；请求体应为文件内容"));
    }
    let material = kind.unwrap_or(usual);
    let under_way = Arc::clone(&api.uploads).read_owned().await;
    let upload =
        Upload { api, caller, reach, ticket_no, headers, file, content_type, material, slot };
    // Whoever hangs up now has sent it all the same.
    let kept = tokio::spawn(async move {
        let kept = upload.keep().await;
        drop(under_way);
        kept
    });
    let ((kept, receipt), repeated) = kept.await.map_err(|_| Problem::fault())??;
    let view = UploadedView { attachment: kept.into(), receipt: receipt.map(ReceiptView::from) };
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

/// The media type of an upload, with what such files usually are.
fn content_type(headers: &HeaderMap) -> Result<(&'static str, Material), Problem> {
    plain(headers)?;
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
}
