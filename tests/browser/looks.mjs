// Every page as those see it who may: its picture in both languages, light and dark; nothing that axe finds
// wrong with it; and room for it on a phone.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { check } from "./house.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = process.env.DUBAN_PICTURES;
mkdirSync(pictures, { recursive: true });

// Each page with somebody who may see it.
async function pages(house) {
  const overdue = await house.ticket("supervisor", "light=red&sort=due");
  const own = await house.ticket("agency", "step=contacting&status=open");
  const returned = await house.ticket("supervisor", "step=return_requested");
  return [
    [null, "/sign-in", "sign-in"],
    [null, "/nowhere", "missing"],
    ["supervisor", "/board", "board"],
    ["supervisor", "/board?by=district", "board-districts"],
    ["supervisor", "/desk", "desk-hotline"],
    ["supervisor", "/tickets", "tickets"],
    ["supervisor", "/tickets?q=nothing-like-that", "tickets-empty"],
    ["supervisor", "/tickets?due=wrong", "trouble"],
    ["supervisor", `/tickets/${overdue}`, "ticket"],
    ["supervisor", `/tickets/${overdue}?as_of=2026-02-27T10:00`, "ticket-past"],
    ["supervisor", `/tickets/${overdue}/why/completion`, "why"],
    ["supervisor", `/tickets/${returned}`, "ticket-returned"],
    ["supervisor", "/tonight", "tonight"],
    ["supervisor", "/registers/cards", "cards"],
    ["agency", "/desk", "desk-agency"],
    ["agency", `/tickets/${own}`, "ticket-agency"],
    ["agency", `/tickets/${own}/reviewer`, "reviewer"],
    ["auditor", "/registers/overdue", "overdue"],
    ["auditor", "/compare", "compare"],
    ["auditor", "/outbox", "outbox"],
    ["auditor", "/incidents", "incidents"],
    ["approver", "/desk", "desk-approver"],
    ["system_admin", "/nodes", "nodes"],
    ["system_admin", "/calendar", "calendar"],
    ["system_admin", "/calendar?year=2027", "calendar-assumed"],
    ["system_admin", "/workflows", "workflows"],
    ["system_admin", "/workflows/staff", "workflow"],
    ["security_admin", "/tokens", "tokens"],
  ];
}

async function each(house, open, how, look) {
  const people = {};
  for (const [role, path, name] of await pages(house)) {
    people[role] ??= await open(role, how);
    const { page } = people[role];
    await page.goto(house.address + path);
    await look(page, name, path);
  }
}

// That axe finds nothing wrong with a page as it stands.
export async function judge(page, name) {
  await page.evaluate(axe);
  const options = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
  const { violations } = await page.evaluate((options) => window.axe.run(document, options), options);
  const says = violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(" | ")}`);
  check(says.length === 0, `${name}:\n  ${says.join("\n  ")}`);
}

async function shown(house, open, scheme, language) {
  const wrong = [];
  await each(house, open, { scheme, language }, async (page, name) => {
    await page.screenshot({ path: join(pictures, `${name}-${language}-${scheme}.png`), fullPage: true });
    await judge(page, name).catch((error) => wrong.push(error.message));
  });
  check(wrong.length === 0, wrong.join("\n"));
}

export const looks = {
  every_page_is_sound_in_chinese: (house, open) => shown(house, open, "light", "zh-CN"),
  every_page_is_sound_in_chinese_in_the_dark: (house, open) => shown(house, open, "dark", "zh-CN"),
  every_page_is_sound_in_english: (house, open) => shown(house, open, "light", "en"),
  every_page_is_sound_in_english_in_the_dark: (house, open) => shown(house, open, "dark", "en"),

  async every_page_fits_a_phone(house, open) {
    const wide = [];
    await each(house, open, { width: 390, height: 844 }, async (page, name) => {
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) wide.push(`${name}: ${over} pixels too wide`);
      await page.screenshot({ path: join(pictures, `${name}-phone.png`), fullPage: true });
    });
    check(wide.length === 0, wide.join("\n"));
  },

  async a_case_file_is_printed_without_what_is_for_the_screen(house, open) {
    const { page } = await open("auditor");
    const number = await house.ticket("auditor", "light=red");
    await page.goto(`${house.address}/tickets/${number}`);
    await page.emulateMedia({ media: "print" });
    check(!(await page.locator("header.top").isVisible()), "the bar on top is printed");
    check(await page.locator(".timeline").isVisible(), "the timeline is not printed");
    const bytes = await page.pdf({ format: "A4" });
    check(bytes.length > 20_000, `a case file of ${bytes.length} bytes`);
  },
};
