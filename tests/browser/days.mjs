// A day of each of those who live in it, from coming in to going out.
import { check } from "./house.mjs";
import { judge } from "./looks.mjs";

async function leave(house, page) {
  await page.getByRole("button", { name: "退出" }).click();
  await page.waitForURL(/sign-in/);
  await page.goto(`${house.address}/board`);
  check(new URL(page.url()).pathname === "/sign-in", "the session goes on");
}

const figure = async (page, name) => Number(await page.locator(".figure", { hasText: name }).locator("b").innerText());

export const days = {
  async a_supervisor_sees_what_others_do_without_reloading(house, open) {
    const { page } = await open("supervisor");
    check(new URL(page.url()).pathname === "/board", page.url());
    await page.locator(".live[data-state=on]").waitFor();
    const row = () => page.locator("#lines tbody tr", { hasText: "尚未转办" }).locator("td").first().innerText();
    const before = Number(await row());
    await page.evaluate(() => { window.notReloaded = true; });
    const number = await house.ticket("hotline", "step=pending_dispatch");
    await house.api("hotline", `/v1/tickets/${number}/actions/dispatch`, { agency: "SZ013" });
    await page.waitForFunction((before) => {
      const rows = [...document.querySelectorAll("#lines tbody tr")];
      const row = rows.find((one) => one.textContent.includes("尚未转办"));
      return (row ? Number(row.querySelector("td").textContent) : 0) === before - 1;
    }, before, { timeout: 10_000 });
    check(await page.evaluate(() => window.notReloaded), "the page was reloaded");
  },

  async a_ticket_is_made_anew_for_its_own_commits_alone(house, open) {
    const { page } = await open("agency");
    const [own, other] = (await house.api("agency", "/v1/tickets?limit=2&status=open")).tickets.map((one) => one.ticket_no);
    await page.goto(`${house.address}/tickets/${own}?do=sign`);
    let asked = 0;
    page.on("request", (request) => { if (request.headers()["x-requested-with"] === "live") asked += 1; });
    await page.waitForTimeout(500);
    await house.api("agency", `/v1/tickets/${other}/actions/add_note`, { note: "另一件的备注" });
    await page.waitForTimeout(3000);
    check(asked === 0, `asked ${asked} times for another ticket`);
    await house.api("agency", `/v1/tickets/${own}/actions/add_note`, { note: "本件的备注" });
    // Sooner than a page asks by itself.
    await page.getByText("本件的备注").waitFor({ timeout: 9_000 });
    check(asked === 1, `asked ${asked} times`);
  },

  async every_number_of_the_board_opens_its_list(house, open) {
    const { page } = await open("supervisor");
    const links = await page.locator("#lines tbody a").evaluateAll((all) =>
      all.filter((one) => /^[0-9■▲● ]+$/.test(one.innerText.replace(/[黄红绿]灯/g, "").trim())).map((one) => [Number(one.innerText.replace(/\D/g, "")), one.href]));
    check(links.length > 30, `${links.length} numbers`);
    for (const [count, href] of links.filter((_, place) => place % 3 === 0)) {
      await page.goto(href);
      let listed = await page.locator("#queue tbody tr").count();
      while (await page.getByRole("link", { name: "下一页" }).count()) {
        await page.getByRole("link", { name: "下一页" }).click();
        listed += await page.locator("#queue tbody tr").count();
      }
      check(listed === count, `${href}: ${count} on the board, ${listed} in the list`);
    }
  },

  async a_supervisors_day(house, open) {
    const { page } = await open("supervisor");
    // What turns tonight is urged: tried first, then done.
    await page.getByRole("link", { name: "今晚到期" }).click();
    await page.getByLabel("全选本页").check();
    await page.getByRole("button", { name: "催办…" }).click();
    await page.getByText("尚未办理").waitFor();
    await judge(page, "bulk, tried");
    await page.getByRole("button", { name: /^催办 \d+ 件$/ }).click();
    await page.getByText("已办理").first().waitFor();
    await judge(page, "bulk, done");
    // A return is decided with the agency's words before him.
    await page.getByRole("link", { name: "待办" }).click();
    await page.getByRole("link", { name: "同意退单" }).first().click();
    await page.getByText("对方最近的说明").waitFor();
    await page.getByRole("button", { name: /同意退单/ }).click();
    await page.getByText(/记为第 \d+ 号记录/).waitFor();
    // Back with the hotline, an agency is suggested.
    await page.getByText("建议：").waitFor();
    // Filters stand in the address.
    await page.getByRole("link", { name: "工单", exact: true }).first().click();
    await page.locator("select[name=light]").selectOption("red");
    await page.getByRole("button", { name: "筛选" }).click();
    check(new URL(page.url()).searchParams.get("light") === "red", page.url());
    // Why this day, with the notice and the article.
    await page.locator("#queue tbody th a").first().click();
    await page.getByRole("link", { name: "为何这天？" }).first().click();
    await page.getByText("逐日计算").waitFor();
    check((await page.locator(".walk tbody tr").count()) > 1, "no days");
    await leave(house, page);
  },

  async a_dispatch_by_keyboard_alone(house, open) {
    const { page } = await open("hotline");
    const number = await house.ticket("hotline", "step=pending_dispatch");
    // Look for it, and follow what has the focus.
    await page.keyboard.press("/");
    await page.keyboard.type(number);
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=/);
    const reach = async (what, done) => {
      for (let steps = 0; steps < 80; steps += 1) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(done)) return;
      }
      throw new Error(`${what} is not reached by Tab`);
    };
    await reach("the ticket", () => document.activeElement.closest("#queue tbody th") !== null);
    await page.keyboard.press("Enter");
    await page.waitForURL(/tickets\/HCP/);
    await reach("the agency", () => document.activeElement.name === "/agency");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    check(outline !== "none", "the focus is not seen");
    await page.keyboard.type("深圳市公安局");
    await reach("the button", () => document.activeElement.textContent.includes("提交：转办"));
    await page.keyboard.press("Enter");
    await page.getByText(/记为第 \d+ 号记录/).waitFor();
    const { step } = await house.api("hotline", `/v1/tickets/${number}`);
    check(step === "delivered", step);
  },

  async an_agencys_day(house, open) {
    const { page } = await open("agency");
    check(new URL(page.url()).pathname === "/desk", page.url());
    check((await figure(page, "在办")) > 0, "nothing to do");
    // A call, in two clicks.
    const row = page.locator(".desk tr", { has: page.getByText("登记联系", { exact: true }) }).first();
    const number = (await row.locator("th a").innerText()).trim();
    await row.getByText("登记联系", { exact: true }).click();
    await row.getByRole("button", { name: "已联系上" }).click();
    await page.getByText(`已登记：${number}`).waitFor();
    const { events } = await house.api("agency", `/v1/tickets/${number}/history`);
    check(events.some((event) => event.text?.includes("已联系评价人")), "not recorded");
    // What is expected next is a form in the ticket; what is missing is told before it is sent.
    await page.goto(`${house.address}/tickets/${number}`);
    await page.getByRole("radio", { name: "有效差评" }).check();
    await page.getByRole("button", { name: /提交：作出核实结论/ }).click();
    check((await page.locator(":invalid").count()) > 0, "sent without what is required");
    await page.getByLabel(/核实情况/).fill("窗口系统故障，导致等候时间过长。");
    await page.getByRole("radio", { name: "立行立改" }).check();
    await page.getByRole("button", { name: /提交：作出核实结论/ }).click();
    await page.getByText(/记为第 \d+ 号记录/).waitFor();
    await page.getByText("窗口系统故障").first().waitFor();
    // The person unmasked, for a purpose that is recorded.
    await page.getByRole("link", { name: "查看", exact: true }).click();
    await page.getByRole("radio", { name: "联系评价人" }).check();
    await page.getByRole("button", { name: "查看并记录" }).click();
    await page.getByText(/本次查看已记为第 \d+ 号记录/).waitFor();
    await judge(page, "reviewer, shown");
    await leave(house, page);
  },

  async two_editors_of_one_ticket(house, open) {
    const [first, second] = [await open("agency"), await open("agency_lead")];
    const number = await house.ticket("agency", "step=delivered&status=open");
    const path = `${house.address}/tickets/${number}`;
    await second.page.goto(`${path}?do=add_note`);
    await first.page.goto(path);
    await first.page.getByRole("button", { name: /提交：签收/ }).click();
    await first.page.getByText(/记为第 \d+ 号记录/).waitFor();
    await second.page.getByLabel("备注").fill("请先核对预约记录。");
    await second.page.getByRole("button", { name: /提交：添加备注/ }).click();
    await second.page.getByText("您打开页面之后，工单有了以下变化").waitFor();
    await judge(second.page, "conflict");
    check(second.page.url() === `${path}?do=add_note`, second.page.url());
    check((await second.page.getByLabel("备注").inputValue()) === "请先核对预约记录。", "what was typed is lost");
    check(await second.page.evaluate(() => document.activeElement.id === "refused"), "the eye is not led there");
    await second.page.getByRole("button", { name: /仍要提交/ }).click();
    await second.page.getByText("请先核对预约记录。").first().waitFor();
  },

  async what_was_typed_outlives_a_session(house, open) {
    const { page, context } = await open("agency");
    const number = await house.ticket("agency", "status=open");
    await page.goto(`${house.address}/tickets/${number}?do=add_note`);
    await page.getByLabel("备注").fill("评价人要求书面答复。");
    await context.clearCookies();
    await page.getByRole("button", { name: /提交：添加备注/ }).click();
    await page.getByText("没有办理").waitFor();
    await judge(page, "session over");
    await page.getByRole("link", { name: "重新登录" }).click();
    await page.getByLabel("个人访问令牌").fill(house.links.agency);
    await page.getByRole("button", { name: "登录" }).click();
    await page.getByText("已恢复上次没有提交的内容").waitFor();
    await judge(page, "restored");
    check((await page.getByLabel("备注").inputValue()) === "评价人要求书面答复。", "what was typed is lost");
    await page.getByRole("button", { name: /提交：添加备注/ }).click();
    await page.getByText(/记为第 \d+ 号记录/).waitFor();
    // An address that is opened again has not done it again: what is typed meanwhile stays, and so does
    // what was begun for another action, or beside a file.
    await page.goto(`${house.address}/tickets/${number}?do=add_note`);
    await page.getByLabel("备注").fill("第二条");
    await page.goto(`${house.address}/tickets/${number}?do=attach`);
    await page.locator("#files input[type=file]").setInputFiles({ name: "f.ofd", mimeType: "", buffer: Buffer.from("PK") });
    await page.getByRole("button", { name: "上传" }).click();
    await page.locator("#files").getByText("文书材料").first().waitFor();
    await page.goto(`${house.address}/tickets/${number}?do=add_note&done=3`);
    check((await page.getByLabel("备注").inputValue()) === "第二条", "lost by another action");
    await page.reload();
    check((await page.getByLabel("备注").inputValue()) === "第二条", "lost by a reload");
    await page.getByRole("button", { name: "清除" }).click();
    const kept = () => page.evaluate(() => Object.keys(sessionStorage).length);
    check((await kept()) === 0, "kept after it was done");
    await page.goto(`${house.address}/tickets/${number}?do=add_note`);
    await page.getByLabel("备注").fill("另一条");
    check((await kept()) === 1, "not kept");
    await leave(house, page);
    check((await kept()) === 0, "kept after signing out");
  },

  async an_auditors_day(house, open) {
    const { page } = await open("auditor");
    await page.getByRole("link", { name: "登记册" }).click();
    await page.locator("select[name=kind]").selectOption("red_card");
    await page.getByRole("button", { name: "筛选" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
    check(/^cards-.*\.csv$/.test(file.suggestedFilename()), file.suggestedFilename());
    await page.locator("#cards tbody th a").first().click();
    await page.getByText("历史完整").waitFor();
    check((await page.locator(".timeline .mark.red rect").count()) > 0, "no red card on the timeline");
    // How it stood a week before.
    const then = "2026-02-27T10:00";
    await page.locator("#as_of").fill(then);
    await page.getByRole("button", { name: "查看", exact: true }).click();
    await page.getByText("时的状态").waitFor();
    check((await page.locator("form.deed").count()) === 0, "the past can be changed");
    await leave(house, page);
  },

  async a_keeper_of_tokens_day(house, open) {
    const { page } = await open("security_admin");
    await page.getByLabel("使用者代号").fill("chen");
    await page.locator("select[name=role]").selectOption("agency");
    await page.getByRole("button", { name: "签发" }).click();
    // Without an agency it is refused, and what was filled in is still there.
    await page.getByRole("alert").waitFor();
    check((await page.getByLabel("使用者代号").inputValue()) === "chen", "what was typed is lost");
    await judge(page, "token refused");
    await page.locator("select[name=agency]").selectOption("SZ013");
    await page.getByRole("button", { name: "签发" }).click();
    await page.getByText("令牌只显示这一次").waitFor();
    await judge(page, "token issued");
    const token = await page.locator("code", { hasText: "duban_" }).innerText();
    const other = await open(null);
    const enter = async () => {
      await other.page.goto(`${house.address}/sign-in`);
      await other.page.getByLabel("个人访问令牌").fill(token);
      await other.page.getByRole("button", { name: "登录" }).click();
    };
    await enter();
    await other.page.waitForURL(/desk/);
    await page.locator("tr", { hasText: "chen" }).getByRole("button", { name: "吊销" }).click();
    await page.locator("tr", { hasText: "chen" }).getByText("已吊销").waitFor();
    // Whoever is inside is out at once.
    await other.page.goto(`${house.address}/desk`);
    check(new URL(other.page.url()).pathname === "/sign-in", "the session goes on");
    await leave(house, page);
  },

  async an_operators_day(house, open) {
    const { page } = await open("system_admin");
    await page.getByRole("link", { name: "节点" }).click();
    await page.getByRole("button", { name: "拨快 1 个工作日" }).click();
    await page.getByText("3月10日").first().waitFor();
    await page.getByRole("link", { name: "日历" }).click();
    await page.locator("td[aria-current=date]").waitFor();
    await page.getByRole("link", { name: "工作流" }).click();
    await page.getByRole("link", { name: /人员差评/ }).click();
    check((await page.locator(".ways .way").count()) > 10, "no drawing");
    await leave(house, page);
  },
};
