// A demonstration that runs for as long as the tests, and people who come in to it. Must never let a page
// ask another host, nor overlook what a page writes to its console.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export class House {
  static async open() {
    const house = new House();
    house.folder = mkdtempSync(join(tmpdir(), "duban-browser-"));
    const flags = ["demo", "--listen", "127.0.0.1:0", "--tickets", "150"];
    house.child = spawn(process.env.DUBAN_PROGRAM, flags, { cwd: house.folder, stdio: ["ignore", "pipe", "inherit"] });
    house.links = {};
    let said = "";
    await new Promise((ready, failed) => {
      house.child.on("exit", (code) => failed(new Error(`the demonstration ended with ${code}: ${said}`)));
      house.child.stdout.on("data", (bytes) => {
        said += bytes;
        if (said.includes("/v1/clock/advance")) ready();
      });
    });
    house.address = said.match(/http:\/\/[0-9.]+:\d+/)[0];
    for (const [, role, token] of said.matchAll(/^([a-z_]+)=(duban_[0-9a-f]+)/gm)) house.links[role] = token;
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
    house.chromium = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
    return house;
  }

  async close() {
    await this.chromium.close();
    this.child.removeAllListeners("exit");
    this.child.kill("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true });
  }

  // Somebody with a browser of his own; what goes wrong in it is kept.
  async person(role, { width = 1366, height = 768, scheme = "light", language } = {}) {
    const context = await this.chromium.newContext({
      viewport: { width, height }, colorScheme: scheme, locale: "zh-CN", timezoneId: "Asia/Shanghai",
    });
    if (language) await context.addCookies([{ name: "duban_language", value: language, url: this.address }]);
    const page = await context.newPage();
    const faults = [];
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== this.address) faults.push(`asked ${request.url()}`);
    });
    page.on("console", (message) => {
      // Answers that are refused are what some tests are about.
      const expected = message.text().includes("Failed to load resource");
      if (["error", "warning"].includes(message.type()) && !expected) faults.push(message.text());
    });
    page.on("pageerror", (error) => faults.push(String(error)));
    const person = { page, context, faults, role };
    if (role) {
      await page.goto(`${this.address}/sign-in#${this.links[role]}`);
      await page.waitForURL((url) => url.pathname !== "/sign-in");
    }
    return person;
  }

  // The API, as somebody.
  async api(role, path, body) {
    const headers = { Authorization: `Bearer ${this.links[role]}`, "Content-Type": "application/json" };
    const answer = await fetch(this.address + path, body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  // The first ticket in a step.
  async ticket(role, query) {
    const { tickets } = await this.api(role, `/v1/tickets?limit=1&${query}`);
    if (tickets.length === 0) throw new Error(`no ticket: ${query}`);
    return tickets[0].ticket_no;
  }
}

export function check(condition, says) {
  if (!condition) throw new Error(says);
}
