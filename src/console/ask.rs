//! How the console asks the API: as a request of whoever looks at the page, within the process. Must
//! never ask for somebody else, nor make up an answer.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use axum::response::Response;
use duban_core::time::Instant;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use super::words::Lang;
use crate::access::Inside;

/// All but letters, digits, - and _: neither dots nor slashes lead to another path.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The largest answer that a page is made of.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Asks for one person.
#[derive(Clone)]
pub(super) struct Ask {
    api: Router,
    token: Uuid,
}

/// Why there is no answer, as the API tells it (RFC 9457).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Told {
    pub(super) title: String,
    pub(super) status: u16,
    pub(super) detail: String,
    /// What kind of problem it is, as its address ends.
    #[serde(default, rename = "type")]
    kind: String,
    /// What is wrong with single fields.
    #[serde(default)]
    pub(super) errors: Vec<FieldTold>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FieldTold {
    /// JSON pointer.
    pub(super) field: String,
    pub(super) message: String,
}

impl Told {
    /// Whether the same was asked for before, under the same key: it has been done.
    pub(super) fn is_repeated(&self) -> bool {
        self.kind.ends_with("idempotency-key-reused")
    }

    /// What is the fault of the pages themselves.
    pub(super) fn fault() -> Self {
        Self {
            title: "程序出错".to_owned(),
            status: 500,
            detail: "请稍后重试；反复出现的，联系运维人员".to_owned(),
            errors: Vec::new(),
            kind: String::new(),
        }
    }

    /// An address with a filter that there is not.
    pub(super) fn unknown_filter(lang: Lang) -> Self {
        Self {
            title: lang.of("没有这个筛选条件", "No such filter").to_owned(),
            status: 422,
            detail: lang.of("地址有误，请重新筛选", "The address is wrong; filter anew").to_owned(),
            errors: Vec::new(),
            kind: String::new(),
        }
    }

    /// Something for many, and none was chosen.
    pub(super) fn nothing_chosen(lang: Lang) -> Self {
        Self {
            title: lang.of("没有选择工单", "No ticket chosen").to_owned(),
            status: 422,
            detail: lang
                .of("请返回列表，勾选要办理的工单", "Go back and choose the tickets")
                .to_owned(),
            errors: Vec::new(),
            kind: String::new(),
        }
    }

    /// Something that can be done on none of many.
    pub(super) fn not_possible(lang: Lang) -> Self {
        Self {
            title: lang.of("不能办理", "Not possible").to_owned(),
            status: 422,
            detail: lang
                .of("所选工单此刻都不能办理这个动作", "It can be done on none of these tickets now")
                .to_owned(),
            errors: Vec::new(),
            kind: String::new(),
        }
    }

    /// A list that is longer than a file may be.
    pub(super) fn too_many(lang: Lang, most: usize) -> Self {
        let detail = match lang {
            Lang::Chinese => format!("一个文件最多 {most} 行；请先筛选，再分次导出"),
            Lang::English => format!("A file holds {most} rows; filter first, and export in parts"),
        };
        Self {
            title: lang.of("行数过多", "Too many rows").to_owned(),
            status: 422,
            detail,
            errors: Vec::new(),
            kind: String::new(),
        }
    }

    /// A form of a page that somebody opened under another session.
    pub(super) fn outdated(lang: Lang) -> Self {
        Self {
            title: lang.of("页面已失效", "This page is outdated").to_owned(),
            status: 403,
            detail: lang
                .of(
                    "打开页面之后您重新登录过，本次提交没有办理；请返回上一页，刷新后再提交",
                    "You have signed in anew since you opened it, and nothing was done; go back, \
                     reload, and send it again",
                )
                .to_owned(),
            errors: Vec::new(),
            kind: String::new(),
        }
    }

    /// A form that did not arrive whole.
    pub(super) fn cut_off(lang: Lang) -> Self {
        Self {
            title: lang.of("内容不完整", "Incomplete").to_owned(),
            status: 400,
            detail: lang
                .of("提交中断，没有办理；请重试", "It was cut off and not done; try again")
                .to_owned(),
            errors: Vec::new(),
            kind: String::new(),
        }
    }

    /// More was sent than a form may be.
    pub(super) fn too_large(lang: Lang) -> Self {
        Self {
            title: lang.of("内容过大", "Too large").to_owned(),
            status: 413,
            detail: lang
                .of(
                    "一次提交不得超过 32 MB；请减少文件后重试",
                    "One form may carry 32 MB; send fewer files at once",
                )
                .to_owned(),
            errors: Vec::new(),
            kind: String::new(),
        }
    }

    /// What an answer tells that is none.
    pub(super) async fn of(response: Response) -> Self {
        let bytes = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_else(|_| Self::fault())
    }

    /// What it depends on does not answer.
    pub(super) fn unavailable() -> Self {
        Self {
            title: "系统繁忙".to_owned(),
            status: 503,
            detail: "请稍后重试".to_owned(),
            errors: Vec::new(),
            kind: String::new(),
        }
    }
}

impl Ask {
    pub(super) const fn new(api: Router, token: Uuid) -> Self {
        Self { api, token }
    }

    /// What is read at a path.
    ///
    /// # Errors
    /// What the API tells instead.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Told> {
        let request = Request::get(path).body(Body::empty()).map_err(|_| Told::fault())?;
        read(self.carry(request).await).await
    }

    /// What comes of something sent to a path.
    ///
    /// # Errors
    /// What the API tells instead: then nothing was done, unless it says that it does not know.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Told> {
        self.post_with(path, &[], body).await
    }

    /// The same with headers.
    ///
    /// # Errors
    /// As before.
    pub(super) async fn post_with<T: DeserializeOwned>(
        &self,
        path: &str,
        headers: &[(&str, String)],
        body: &Value,
    ) -> Result<T, Told> {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(body.to_string())).map_err(|_| Told::fault())?;
        self.send(request).await
    }

    /// Orders something that answers with nothing.
    ///
    /// # Errors
    /// As before.
    pub(super) async fn order(&self, path: &str) -> Result<Option<Value>, Told> {
        let request = Request::post(path).body(Body::empty()).map_err(|_| Told::fault())?;
        self.silent(request).await
    }

    /// Takes something away.
    ///
    /// # Errors
    /// As before.
    pub(super) async fn delete(&self, path: &str) -> Result<Option<Value>, Told> {
        let request = Request::delete(path).body(Body::empty()).map_err(|_| Told::fault())?;
        self.silent(request).await
    }

    async fn silent(&self, request: Request<Body>) -> Result<Option<Value>, Told> {
        let response = self.carry(request).await;
        if response.status().is_success() { Ok(None) } else { Err(Told::of(response).await) }
    }

    /// What comes of a request.
    ///
    /// # Errors
    /// As before.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        request: Request<Body>,
    ) -> Result<T, Told> {
        read(self.carry(request).await).await
    }

    /// The end of the next working day.
    pub(super) async fn next_working_day(&self, now: Instant) -> Result<Instant, Told> {
        #[derive(Deserialize)]
        struct Computed {
            due_at: Instant,
        }
        let asked = json!({"received": now, "within": "1wd"});
        Ok(self.post::<Computed>("/v1/deadlines/compute", &asked).await?.due_at)
    }

    /// The answer itself, to be passed on.
    pub(super) async fn carry(&self, mut request: Request<Body>) -> Response {
        request.extensions_mut().insert(Inside(self.token));
        match self.api.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => {
                let never: Infallible = never;
                match never {}
            }
        }
    }
}

/// A word as a part of a path.
pub(super) fn segment(word: &str) -> String {
    utf8_percent_encode(word, UNSAFE).to_string()
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Told> {
    let is_good = response.status().is_success();
    let bytes =
        to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.map_err(|_| Told::fault())?;
    if is_good {
        return serde_json::from_slice(&bytes).map_err(|error| {
            tracing::error!(%error, "a page does not understand the API");
            Told::fault()
        });
    }
    Err(serde_json::from_slice(&bytes).unwrap_or_else(|_| Told::fault()))
}
