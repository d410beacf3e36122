//! Why there is no answer: as the API tells it, or as pages do that did not come to ask. Must never show
//! an official what only a program can use.

use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::ask::ANSWER_BYTES_MAX;
use super::words::Lang;

/// Why there is no answer (RFC 9457).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Told {
    title: String,
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

/// What the API's problems are called in English; their details are Chinese.
const ENGLISH: &[(&str, &str)] = &[
    ("bad-request", "Bad request"),
    ("unauthenticated", "Not signed in"),
    ("forbidden", "Not permitted"),
    ("not-permitted", "Not permitted"),
    ("not-yours", "Not permitted"),
    ("not-found", "Not found"),
    ("unknown-action", "No such action"),
    ("body-timeout", "Timed out"),
    ("clock-stuck", "The clock is held"),
    ("attachments-full", "Too many files"),
    ("guarded", "Not possible now"),
    ("idempotency-key-running", "Being done"),
    ("limit", "Not possible any more"),
    ("role-excluded", "Roles exclude each other"),
    ("wrong-step", "Not possible in this step"),
    ("stale-revision", "The ticket has changed"),
    ("body-too-large", "Too large"),
    ("unsupported-media-type", "Not a kind of file that is taken"),
    ("invalid-form", "Not filled in rightly"),
    ("idempotency-key-reused", "Sent before"),
    ("out-of-calendar", "Beyond the calendar"),
    ("rate-limited", "Too many requests"),
    ("incident", "An incident holds it"),
    ("busy", "Busy"),
    ("outcome-unknown", "Not known whether it was done"),
    ("overtaken", "Try again"),
];

/// What is wrong with single fields is said beside them.
const CORRECT: (&str, &str) =
    ("请按提示改正后重新提交", "Correct what is marked, and send it again");

/// The kinds of files that may be evidence.
pub(super) const FILES: (&str, &str) = (
    "PDF、OFD、Word、Excel、TXT、ZIP、JPG、PNG、MP3、M4A、AMR、WAV、MP4，每个不超过 20 MB",
    "PDF, OFD, Word, Excel, TXT, ZIP, JPG, PNG, MP3, M4A, AMR, WAV, MP4; 20 MB each",
);

/// Problems that are told to programs in words of theirs, as people are told them.
const PLAIN: &[(&str, &str, &str)] = &[
    (
        "idempotency-key-reused",
        "这个表单已经提交过，且内容不同；请刷新页面，确认办理结果后再提交",
        "This form was sent before with other words; reload, see what was done, and send it again",
    ),
    (
        "idempotency-key-running",
        "这个表单正在办理，请稍候刷新页面，确认办理结果",
        "It is being done; reload in a moment and see what came of it",
    ),
    (
        "unsupported-media-type",
        "不能收这一类文件；可以上传 PDF、OFD、Word、Excel、TXT、ZIP、JPG、PNG、MP3、M4A、AMR、WAV、MP4",
        "Not a kind of file that is taken; PDF, OFD, Word, Excel, TXT, ZIP, JPG, PNG, MP3, M4A, AMR, WAV, MP4 are",
    ),
];

impl Told {
    fn own(status: u16, title: &str, detail: &str) -> Self {
        Self {
            title: title.to_owned(),
            status,
            detail: detail.to_owned(),
            errors: Vec::new(),
            kind: String::new(),
        }
    }

    /// What an answer tells that is none.
    pub(super) async fn of(lang: Lang, response: Response) -> Self {
        let bytes = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.unwrap_or_default();
        let told: Self = serde_json::from_slice(&bytes).unwrap_or_else(|_| Self::fault(lang));
        told.plain(lang)
    }

    /// The same without what only programs can use.
    pub(super) fn plain(mut self, lang: Lang) -> Self {
        if !self.errors.is_empty() {
            lang.of(CORRECT.0, CORRECT.1).clone_into(&mut self.detail);
        }
        for (kind, chinese, english) in PLAIN {
            if self.kind.ends_with(kind) {
                lang.of(chinese, english).clone_into(&mut self.detail);
            }
        }
        if self.is_repeated() {
            "已经提交过".clone_into(&mut self.title);
        }
        self
    }

    /// Whether it may have been done all the same, or can be as it was asked for: then it is asked for
    /// once more under the same key.
    pub(super) fn is_passing(&self) -> bool {
        self.status >= 500
    }

    /// What it is called.
    pub(super) fn title(&self, lang: Lang) -> &str {
        let kind = self.kind.rsplit(':').next().unwrap_or_default();
        let english = ENGLISH.iter().find(|(own, _)| *own == kind).map(|(_, english)| *english);
        match lang {
            Lang::Chinese => &self.title,
            Lang::English => english.unwrap_or(&self.title),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether the same was asked for before, under the same key: it has been done.
    pub(super) fn is_repeated(&self) -> bool {
        self.kind.ends_with("idempotency-key-reused")
    }

    /// What is the fault of the pages themselves.
    pub(super) fn fault(lang: Lang) -> Self {
        let (title, detail) = (
            lang.of("程序出错", "A fault"),
            lang.of(
                "请稍后重试；反复出现的，联系运维人员",
                "Try again later; tell the operators if it comes again",
            ),
        );
        Self::own(500, title, detail)
    }

    /// What it depends on does not answer.
    pub(super) fn unavailable(lang: Lang) -> Self {
        Self::own(503, lang.of("系统繁忙", "Busy"), lang.of("请稍后重试", "Try again in a moment"))
    }

    /// An address with a filter that there is not.
    pub(super) fn unknown_filter(lang: Lang) -> Self {
        let detail = lang.of("地址有误，请重新筛选", "The address is wrong; filter anew");
        Self::own(422, lang.of("没有这个筛选条件", "No such filter"), detail)
    }

    /// Something that somebody's role does not do.
    pub(super) fn not_permitted(lang: Lang) -> Self {
        let detail = lang.of("您的角色不能办理这一事项", "Your role does not do that");
        Self::own(403, lang.of("无权办理", "Not permitted"), detail)
    }

    /// An address that leads nowhere.
    pub(super) fn nowhere(lang: Lang) -> Self {
        let detail =
            lang.of("地址有误，或页面已经移走", "The address is wrong, or the page has moved");
        Self::own(404, lang.of("没有这个页面", "No such page"), detail)
    }

    /// Something for many, and none was chosen.
    pub(super) fn nothing_chosen(lang: Lang) -> Self {
        let detail = lang.of("请返回列表，勾选要办理的工单", "Go back and choose the tickets");
        Self::own(422, lang.of("没有选择工单", "No ticket chosen"), detail)
    }

    /// Something that can be done on none of many.
    pub(super) fn not_possible(lang: Lang) -> Self {
        let detail = lang
            .of("所选工单此刻都不能办理这个动作", "It can be done on none of these tickets now");
        Self::own(422, lang.of("不能办理", "Not possible"), detail)
    }

    /// A list that is longer than a file may be.
    pub(super) fn too_many(lang: Lang, most: usize) -> Self {
        let detail = match lang {
            Lang::Chinese => format!("一个文件最多 {most} 行；请先筛选，再分次导出"),
            Lang::English => format!("A file holds {most} rows; filter first, and export in parts"),
        };
        Self::own(422, lang.of("行数过多", "Too many rows"), &detail)
    }

    /// A form of a page that somebody opened under another session.
    pub(super) fn outdated(lang: Lang) -> Self {
        let detail = lang.of("打开页面之后您重新登录过，本次提交没有办理；请返回上一页，刷新后再提交", "You have signed in anew since you opened it, and nothing was done; go back, reload, and send it again");
        Self::own(403, lang.of("页面已失效", "This page is outdated"), detail)
    }

    /// A form that no page of this house has sent, as far as can be told.
    pub(super) fn elsewhere(lang: Lang) -> Self {
        let detail = lang.of(
            "这个表单不是从本系统的页面提交的，没有办理；请从本系统的页面重新办理。总是这样的，请运维人员核对反向代理是否转告 Host",
            "No page of this house has sent it, and nothing was done; do it from a page of this house. If it is always so, operators check that the proxy passes Host",
        );
        Self::own(403, lang.of("来源不明", "From elsewhere"), detail)
    }

    /// A form that did not arrive whole.
    pub(super) fn cut_off(lang: Lang) -> Self {
        let detail = lang.of(
            "提交的内容不完整，没有办理；请刷新页面后重试",
            "It did not arrive whole and was not done; reload and try again",
        );
        Self::own(400, lang.of("内容不完整", "Incomplete"), detail)
    }

    /// The same in other words.
    pub(super) fn saying(mut self, says: impl FnOnce(&str) -> String) -> Self {
        self.detail = says(&self.detail);
        self
    }

    /// A file in which there is nothing.
    pub(super) fn empty_file(lang: Lang) -> Self {
        let detail =
            lang.of("文件是空的（0 字节），没有收下", "It is empty (0 bytes), and was not taken");
        Self::own(422, lang.of("文件是空的", "Empty file"), detail)
    }

    /// More was sent than a form may be.
    pub(super) fn too_large(lang: Lang) -> Self {
        let detail = lang.of(
            "一次提交不得超过 32 MB；请减少文件后重试",
            "One form may carry 32 MB; send fewer files at once",
        );
        Self::own(413, lang.of("内容过大", "Too large"), detail)
    }
}
