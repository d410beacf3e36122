//! The endpoints, one a file; here what they are together, and the document that describes them.

mod act;
mod act_on_many;
mod actions;
pub(crate) mod attachments;
mod board;
mod calendars;
mod cards;
mod clock;
mod compute;
mod deadlines;
mod explanation;
mod forecast;
mod health;
mod history;
mod incidents;
mod me;
mod nodes;
mod outbox;
mod register;
mod reviewer;
mod reviews;
mod statements;
mod statistics;
mod stream;
mod ticket;
mod tickets;
mod tokens;
mod workflows;

use axum::Router;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "duban control API",
        description = "督办：政务服务差评工单的控制接口。时间一律带时区（+08:00）。",
    ),
    // In the order in which a newcomer meets them.
    tags(
        (name = "reviews", description = "推送评价"),
        (name = "tickets", description = "查看和办理工单"),
        (name = "deadlines", description = "时限"),
        (name = "rules", description = "工作流和日历"),
        (name = "operations", description = "运维：异常、消息、模拟时钟"),
        (name = "access", description = "令牌：谁可以调用"),
        (name = "health", description = "健康检查和指标，无需令牌"),
    ),
    modifiers(&Bearer),
    security(("bearer" = [])),
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("bearer", scheme);
    }
}

/// What every node tells of itself.
pub(crate) fn of_health() -> Router<Api> {
    OpenApiRouter::new()
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .split_for_parts()
        .0
}

/// All endpoints, with the document that describes them.
pub(crate) fn all() -> (Router<Api>, Document) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(reviews::post))
        .routes(routes!(reviews::post_batch))
        .routes(routes!(tickets::list))
        .routes(routes!(board::get))
        .routes(routes!(ticket::get))
        .routes(routes!(history::get))
        .routes(routes!(statements::get))
        .routes(routes!(explanation::get))
        .routes(routes!(forecast::get))
        .routes(routes!(forecast::list))
        .routes(routes!(actions::list))
        .routes(routes!(act::post))
        .routes(routes!(attachments::list, attachments::post))
        .routes(routes!(attachments::get))
        .routes(routes!(reviewer::post))
        .routes(routes!(act_on_many::post))
        .routes(routes!(stream::get))
        .routes(routes!(deadlines::list))
        .routes(routes!(cards::list))
        .routes(routes!(statistics::get))
        .routes(routes!(compute::post))
        .routes(routes!(workflows::list))
        .routes(routes!(workflows::get))
        .routes(routes!(workflows::usage))
        .routes(routes!(register::get))
        .routes(routes!(calendars::list))
        .routes(routes!(calendars::get))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::retry))
        .routes(routes!(outbox::list))
        .routes(routes!(outbox::redeliver))
        .routes(routes!(me::get))
        .routes(routes!(tokens::list))
        .routes(routes!(tokens::post))
        .routes(routes!(tokens::delete))
        .routes(routes!(nodes::list))
        .routes(routes!(clock::advance))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .split_for_parts()
}
