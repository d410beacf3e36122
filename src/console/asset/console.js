// What the pages do beyond links and forms; each of them works without it.
"use strict";

// The way in by a link whose token never reaches a server's log: it stands behind the #.
const door = document.querySelector("form.enter");
// Whoever is in already is asked before he becomes somebody else.
if (door && location.hash.startsWith("#duban_")) {
  door.elements.token.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  if (!door.hasAttribute("data-inside")) door.submit();
}

// A case file is printed whole.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    details.dataset.printed = "";
  }
});
window.addEventListener("afterprint", () => {
  for (const details of document.querySelectorAll("[data-printed]")) {
    details.open = false;
    delete details.dataset.printed;
  }
});

// Keys: / looks for something, Escape leaves a field.
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const seek = document.querySelector(".seek input");
    if (seek) { seek.focus(); seek.select(); event.preventDefault(); }
  } else if (event.key === "Escape" && typing) {
    event.target.blur();
  }
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-once")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  window.addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
});

// A form that was refused elsewhere belongs to its ticket's page: there it can be loaded again.
const refused = document.querySelector("#refused[data-here]");
if (refused) {
  const form = document.querySelector("#refused ~ form.deed[data-draft]");
  history.replaceState(null, "", form?.getAttribute("action") ?? refused.dataset.here);
}

// What somebody types is kept in his tab until it is sent, against sessions that end and lines that
// break: until he signs out, or somebody else signs in there.
const who = document.body.dataset.who;
const drafts = (gone) => Object.keys(sessionStorage).filter((key) => key.startsWith("draft ") && gone(key));
if (who) {
  const own = `draft ${who} `;
  const here = `${own}${location.pathname} `;
  // What was done is no draft any more; an address that is opened again has not done it again.
  const did = document.querySelector(".said.done")?.dataset.did;
  if (did) history.replaceState(null, "", location.pathname);
  for (const key of drafts((key) => !key.startsWith(own) || (did && key === here + did))) {
    sessionStorage.removeItem(key);
  }
  for (const form of document.querySelectorAll("form[data-draft]")) {
    const key = here + form.dataset.draft;
    const fields = () => [...form.elements].filter((field) => field.name.startsWith("/") && field.type !== "file");
    const isBox = (field) => /^(checkbox|radio)$/.test(field.type);
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
    // What was refused comes with all that was typed.
    if (kept && !form.hasAttribute("data-filled")) {
      for (const field of fields()) {
        const own = kept.filter(([name]) => name === field.name).map(([, value]) => value);
        if (isBox(field)) field.checked = own.includes(field.value);
        else field.value = own[0] ?? "";
      }
      form.querySelector("[data-restored]").hidden = false;
    }
    form.addEventListener("input", () => {
      const typed = fields().filter((field) => (isBox(field) ? field.checked : field.value));
      sessionStorage.setItem(key, JSON.stringify(typed.map((field) => [field.name, field.value])));
    });
    form.addEventListener("reset", () => {
      sessionStorage.removeItem(key);
      form.querySelector("[data-restored]").hidden = true;
      // Only after this is the form what it was.
      setTimeout(() => form.dispatchEvent(new Event("change")));
    });
  }
  document.querySelector("form[action='/sign-out']")?.addEventListener("submit", () => {
    for (const key of drafts(() => true)) sessionStorage.removeItem(key);
  });
}

// What another field makes necessary says so before it is sent.
for (const form of document.querySelectorAll("form.deed")) {
  const renew = () => {
    for (const field of form.querySelectorAll("[data-needed-by]")) {
      const other = new FormData(form).get(field.dataset.neededBy);
      field.required = field.dataset.neededFor.split(" ").includes(other);
    }
  };
  form.addEventListener("change", renew);
  renew();
}

// All on this page, or none.
document.addEventListener("change", (event) => {
  if (!event.target.hasAttribute("data-all")) return;
  for (const box of event.target.form.querySelectorAll("[name=ticket]")) box.checked = event.target.checked;
});

// What was refused is where the eye goes first.
document.getElementById("refused")?.focus();

// What says that it is live is asked for anew after each commit that concerns this page; never while
// somebody is typing in it, at most once in two seconds, and not while nobody sees it.
const lives = document.querySelectorAll("[data-live]");
if (lives.length) {
  const OFTEN = 2000;
  const SELDOM = 15000;
  // The ticket that this page is about; other pages are about all.
  const about = [...lives].map((one) => one.dataset.live).find((one) => one);
  let stream = null;
  let waiting = 0;
  // Whether the line is there, and whether the last look succeeded.
  let isConnected = false;
  let isFresh = true;
  // Something that could not be put in place yet.
  let isLate = false;
  // The sign itself may have been made anew.
  const show = () => {
    const state = isConnected && isFresh ? "on" : "off";
    const sign = document.querySelector(".live");
    if (!sign) return;
    sign.hidden = false;
    sign.dataset.state = state;
    sign.querySelector("span").textContent = sign.dataset[state];
  };
  // Whether somebody is at work in a part of the page.
  const isBusy = (part) => {
    const at = document.activeElement;
    const selected = getSelection();
    return (part.contains(at) && at.matches("a, button, input, select, textarea, summary"))
      || part.querySelector("details[open], [name=ticket]:checked")
      || (!selected.isCollapsed && part.contains(selected.anchorNode));
  };
  const renew = async () => {
    waiting = 0;
    // What fails is shown as not live and tried again; nobody's page is taken from under his hands.
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "live" } }).catch(() => null);
    isFresh = Boolean(answer && answer.ok && !answer.redirected);
    if (!isFresh) {
      soon(SELDOM);
      return show();
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    isLate = false;
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (!now) continue;
      if (isBusy(old)) { isLate = true; continue; }
      const places = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
      old.replaceWith(now);
      now.querySelectorAll(".scroll").forEach((one, nth) => { one.scrollLeft = places[nth] ?? 0; });
    }
    show();
  };
  const soon = (after) => { waiting ||= setTimeout(renew, after); };
  const concerns = (commit) => {
    if (!about) return true;
    try { return JSON.parse(commit).tickets.some((one) => one.ticket_no === about); } catch { return true; }
  };
  const listen = () => {
    stream = new EventSource("/live");
    stream.onopen = () => { isConnected = true; show(); };
    stream.addEventListener("commit", (event) => { if (concerns(event.data)) soon(OFTEN); });
    stream.onerror = () => {
      isConnected = false;
      show();
      // Where there is no stream for this person, or none is left, the page asks by itself.
      if (stream?.readyState === EventSource.CLOSED) stream = setInterval(() => soon(0), SELDOM);
    };
  };
  const hush = () => {
    if (typeof stream === "number") clearInterval(stream);
    else stream?.close();
    clearTimeout(waiting);
    stream = null;
    waiting = 0;
  };
  document.addEventListener("focusout", () => { if (isLate) soon(OFTEN); });
  // A page that nobody sees holds no line; seen again, it is made new first.
  document.addEventListener("visibilitychange", () => {
    hush();
    if (document.visibilityState === "visible") { listen(); soon(0); }
  });
  window.addEventListener("pagehide", hush);
  window.addEventListener("pageshow", (event) => { if (event.persisted && !stream) { listen(); soon(0); } });
  if (document.visibilityState === "visible") listen();
}
