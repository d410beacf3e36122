//! `/workflows`: the definitions as diagrams, with what each step is called and how many tickets are in
//! it. Must never show another definition than the one that rules tickets.

use axum::extract::Path;
use axum::response::Response;
use duban_core::time::Day;
use maud::{Markup, html};
use serde::Deserialize;

use super::ways;
use crate::console::ask::segment;
use crate::console::part::{class, party, when};
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

#[derive(Deserialize)]
struct Workflows {
    workflows: Vec<Workflow>,
}

#[derive(Deserialize)]
struct Workflow {
    name: String,
    title: String,
    version: u32,
    hash: String,
    effective_from: Option<Day>,
    classes: Vec<String>,
    steps: Vec<Step>,
    #[serde(default)]
    ways: Vec<Way>,
    text: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) party: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Way {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) by: Vec<String>,
}

#[derive(Deserialize)]
struct Usage {
    usage: Vec<Used>,
}

#[derive(Deserialize)]
struct Used {
    version: u32,
    step: String,
    tickets: u64,
}

pub(in crate::console) async fn list(visit: Visit) -> Response {
    let lang = visit.lang;
    let found = visit.ask.get::<Workflows>("/v1/workflows").await;
    let body = found.map(|found| {
        html! {
            section.panel {
                header { h1 { (lang.of("工作流", "Workflows")) } }
                table {
                    thead { tr {
                        @for name in [lang.of("名称", "Name"), lang.of("适用", "For"), lang.of("版本", "Version"), lang.of("摘要", "Digest")] {
                            th scope="col" { (name) }
                        }
                    } }
                    tbody { @for one in &found.workflows {
                        tr {
                            th scope="row" { a href={ "/workflows/" (one.name) } { (one.title) } }
                            td { @for own in &one.classes { (class::title(lang, own)) " " } }
                            td { (version(lang, one)) }
                            td { code { (one.hash.get(..16).unwrap_or_default()) } }
                        }
                    } }
                }
            }
        }
    });
    visit.page(lang.of("工作流", "Workflows"), body)
}

fn version(lang: Lang, one: &Workflow) -> String {
    match (lang, one.effective_from) {
        (Lang::Chinese, Some(day)) => format!("第 {} 版，{}起", one.version, when::date(lang, day)),
        (Lang::Chinese, None) => format!("第 {} 版", one.version),
        (Lang::English, Some(day)) => format!("{} from {}", one.version, when::date(lang, day)),
        (Lang::English, None) => one.version.to_string(),
    }
}

pub(in crate::console) async fn get(visit: Visit, Path(name): Path<String>) -> Response {
    let body = body(&visit, &name).await;
    visit.page(visit.lang.of("工作流", "Workflow"), body)
}

async fn body(visit: &Visit, name: &str) -> Result<Markup, Told> {
    let path = format!("/v1/workflows/{}", segment(name));
    let workflow: Workflow = visit.ask.get(&path).await?;
    let mut usage = Vec::new();
    if visit.me.may("GET /v1/workflows/{name}/usage") {
        usage = visit.ask.get::<Usage>(&format!("{path}/usage")).await?.usage;
    }
    let lang = visit.lang;
    let title = |step: &str| {
        let found = workflow.steps.iter().find(|one| one.name == step);
        found.map_or(step, |one| &one.title).to_owned()
    };
    Ok(html! {
        section.panel {
            small { a href="/workflows" { (lang.of("工作流", "Workflows")) } " / " (workflow.name) }
            h1 { (workflow.title) }
            p.facts { span { (version(lang, &workflow)) } small { "SM3 " code { (workflow.hash) } } }
        }
        div.columns {
            section.panel {
                header { h2 { (lang.of("环节", "Steps")) } }
                div.scroll tabindex="0" role="region" aria-label=(lang.of("流程图", "Diagram")) {
                    (ways::draw(lang, &workflow.steps, &workflow.ways))
                }
            }
            section.panel {
                header { h2 { (lang.of("流转", "Ways")) } }
                table {
                    thead { tr {
                        th scope="col" { (lang.of("环节", "Step")) }
                        th.number scope="col" { (lang.of("在办", "Open")) }
                        th scope="col" { (lang.of("去向", "Leads to")) }
                    } }
                    tbody { @for step in &workflow.steps {
                        tr {
                            th scope="row" { (step.title) " " small { (party::title(lang, step.party.as_deref().unwrap_or_default())) } }
                            td.number { (count(visit, &usage, &step.name)) }
                            td { @for way in workflow.ways.iter().filter(|way| way.from == step.name) {
                                div { (way.by.join("、")) " → " b { (title(&way.to)) } }
                            } }
                        }
                    } }
                }
            }
        }
        @if let Some(text) = &workflow.text {
            section.panel {
                details { summary { (lang.of("定义全文", "Text of the definition")) } pre { (text) } }
            }
        }
    })
}

/// Open tickets in a step, by version where there are several.
fn count(visit: &Visit, usage: &[Used], step: &str) -> Markup {
    let lang = visit.lang;
    let of: Vec<&Used> = usage.iter().filter(|one| one.step == step).collect();
    let all: u64 = of.iter().map(|one| one.tickets).sum();
    // Steps of other workflows may have the same name: a list would show more.
    html! {
        @if all == 0 { span.zero { "·" } } @else { (all) }
        @if of.len() > 1 {
            @for one in of {
                div { small {
                    @match lang {
                        Lang::Chinese => { "第 " (one.version) " 版 " (one.tickets) }
                        Lang::English => { "v" (one.version) ": " (one.tickets) }
                    }
                } }
            }
        }
    }
}
