"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector, from = document) => from.querySelector(selector);
  const server = document.body.dataset.server;
  document.documentElement.classList.add("scripted");

  const toast = (text) => {
    const shown = one("#toast");
    shown.textContent = text;
    shown.classList.add("shown");
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => shown.classList.remove("shown"), 1500);
  };

  // Copying, with the reader's own values in place.
  for (const button of all(".copy")) {
    button.addEventListener("click", async () => {
      const text = one("pre", button.closest("figure")).textContent;
      try {
        await navigator.clipboard.writeText(text);
        toast("Copied");
      } catch {
        getSelection().selectAllChildren(one("pre", button.closest("figure")));
        toast("Press Ctrl-C");
      }
    });
  }

  // The reader's own values: kept in this tab, the secret not at all.
  const box = (name) => one(`[data-sets="${name}"]`);
  const value = (name) => box(name).value.trim() || box(name).placeholder;
  const names = all("[data-sets]").map((each) => each.dataset.sets);
  for (const each of all("[data-value]")) each.dataset.example = each.textContent;
  const shown = Object.fromEntries(names.map((name) => [name, box(name).placeholder]));
  const show = () => {
    for (const each of all("[data-value]")) {
      each.textContent = box(each.dataset.value).value.trim() || each.dataset.example;
    }
    for (const field of all(".try input, .try textarea")) {
      for (const name of names) field.value = field.value.replaceAll(shown[name], value(name));
    }
    for (const name of names) shown[name] = value(name);
  };
  for (const field of all("[data-sets]")) {
    const kept = `waybill.${field.dataset.sets}`;
    if (field.dataset.sets !== "clientSecret") field.value = sessionStorage.getItem(kept) ?? "";
    field.addEventListener("input", () => {
      if (field.dataset.sets !== "clientSecret") sessionStorage.setItem(kept, field.value);
      show();
    });
  }
  show();

  one("#sign-in").addEventListener("click", async () => {
    const told = one("#signed-in");
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: value("clientId"),
      client_secret: value("clientSecret"),
      expires_in: "3600",
    });
    try {
      const answer = await fetch("/ams/v1/oauth2/token", { method: "POST", body: form });
      const body = await answer.json();
      told.classList.toggle("bad", !answer.ok);
      if (!answer.ok) {
        told.textContent = body.error_description ?? body.error ?? body.data;
        return;
      }
      box("token").value = body.access_token;
      box("token").dispatchEvent(new Event("input"));
      told.textContent = `Good for an hour: ${body.scope}`;
    } catch {
      told.classList.add("bad");
      told.textContent = "The server does not answer.";
    }
  });

  // Sending a call from here.
  const request = (form) => {
    const query = new URLSearchParams();
    const fields = new URLSearchParams();
    const headers = {};
    let path = form.dataset.path;
    let body;
    for (const field of all("[data-in]", form)) {
      if (field.value === "") continue;
      if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      if (field.dataset.in === "query") query.append(field.name, field.value);
      if (field.dataset.in === "header") headers[field.name] = field.value;
      if (field.dataset.in === "form") fields.append(field.name, field.value);
      if (field.dataset.in === "body") body = field.value;
    }
    if (form.dataset.token !== undefined) {
      headers.Authorization = `Bearer ${value("token")}`;
      if (body !== undefined) headers["Content-Type"] = "application/json";
    }
    const asked = query.size ? `?${query}` : "";
    return [
      path + asked,
      { method: form.dataset.method, headers, body: body ?? (fields.size ? fields : undefined) },
    ];
  };
  const pretty = (text) => {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  };
  for (const form of all(".try form")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const told = one(".outcome", form.parentElement);
      told.hidden = false;
      told.textContent = "…";
      try {
        const began = performance.now();
        const answer = await fetch(...request(form));
        const text = await answer.text();
        const took = Math.round(performance.now() - began);
        told.textContent = `${answer.status} ${answer.statusText} (${took} ms)\n${pretty(text).slice(0, 20000)}`;
        // A transaction ID serves once: the next one, so that Send works again.
        const body = one("textarea", form);
        if (answer.ok && body) {
          body.value = body.value.replace(/("transactionId": "[^"]*?)(\d+)"/, (_, text, number) => `${text}${Number(number) + 1}"`);
        }
      } catch {
        told.textContent = "The server does not answer.";
      }
    });
  }

  // Finding: what matches stays, with its entry in the contents.
  const find = one("#find");
  const texts = new Map(all(".call").map((call) => [call, call.textContent.toLowerCase()]));
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    for (const [call, text] of texts) {
      const found = text.includes(wanted);
      call.hidden = !found;
      one(`nav [data-for="${call.id}"]`).hidden = !found;
      if (wanted.length < 3) continue;
      for (const folded of all("details:not(.try)", call)) {
        folded.open ||= folded.textContent.toLowerCase().includes(wanted);
      }
    }
    for (const group of all("main > .group")) {
      const calls = all(".call", group);
      group.hidden = calls.length > 0 && calls.every((call) => call.hidden);
    }
    for (const row of all("#codes tbody tr")) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    for (const part of all(".about")) part.hidden = wanted !== "";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement === find) {
      find.value = "";
      find.dispatchEvent(new Event("input"));
    }
    if (event.key !== "/" || event.ctrlKey || event.metaKey) return;
    if (/^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "")) return;
    event.preventDefault();
    find.focus();
  });

  // Where the reader is.
  const here = new IntersectionObserver(
    (seen) => {
      for (const each of seen) {
        one(`nav [data-for="${each.target.id}"]`).classList.toggle("here", each.isIntersecting);
      }
    },
    { rootMargin: "-5% 0px -85% 0px" },
  );
  for (const call of texts.keys()) here.observe(call);
})();
