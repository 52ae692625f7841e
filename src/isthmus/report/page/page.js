// Everything here is an addition: the page says all of its figures and rankings without it.
const $ = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const named = (tag, className, text) => Object.assign(make(tag, className, text), { dir: "auto" });

// Figures as files: the SVG with a fixed ink instead of the page's, the PNG from it on white.
const standalone = (figure) => {
  const svg = figure.querySelector(".chart svg").cloneNode(true); // of a figure drawn for two widths the wide one
  return new XMLSerializer().serializeToString(svg).replaceAll("currentColor", "#5f6368");
};
const save = (content, type, name) => {
  const link = make("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
const png = (text, then) => {
  const image = new Image();
  image.onload = () => {
    const canvas = make("canvas");
    [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
    const brush = canvas.getContext("2d");
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(then, "image/png");
  };
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
};
for (const button of document.querySelectorAll("[data-save]")) {
  const figure = button.closest("figure");
  button.setAttribute("aria-label", `Save as ${button.dataset.save.toUpperCase()}: ${figure.querySelector("h3").textContent}`);
  button.hidden = false;
  button.addEventListener("click", () => {
    const text = standalone(figure);
    if (button.dataset.save === "svg") save(text, "image/svg+xml", `${figure.id}.svg`);
    else png(text, (blob) => save(blob, "image/png", `${figure.id}.png`));
  });
}

const unpack = async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
};

const MARKS = { shared: "● shared", echoed: "◀ echoed", bridged: "▶ bridged", novel: "○ novel", missed: "– absent" };
const MOST = 40;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

const lookup = (data) => {
  const views = data.views.map((view) => ({ ...view, place: new Map(data.lists[view.items].map((item, row) => [item, row])) }));
  const folded = data.names.map(fold);
  const form = $("lookup"), input = $("search"), list = $("found"), choice = $("view"), shown = $("item");
  const rankings = [...document.querySelectorAll(".ranking")];
  let matches = [], active = -1, current = null;
  const view = () => views[choice.value];
  views.forEach((each, number) => {
    const option = make("option", "", `${each.mapping}, ${each.source} → ${each.target}`);
    option.value = number;
    choice.append(option);
  });

  const near = (name, number) => {
    const { k, place } = view();
    const row = place.get(number);
    return data.lists[view()[name]].slice(row * k, (row + 1) * k);
  };
  const picture = (number, size) => {
    if (!(number in data.pictures)) return [];
    return [Object.assign(make("img"), { alt: "", width: size, height: size, src: `data:image/jpeg;base64,${data.pictures[number]}` })];
  };
  const labelled = (number) => (data.classes.length ? [named("span", "label", data.classes[data.class[number]])] : []);

  const line = (number, mark) => {
    const item = make("li"), left = make("span");
    const name = view().place.has(number) ? named("button", "open", data.names[number]) : named("span", "name-cell", data.names[number]);
    if (name.tagName === "BUTTON") {
      name.type = "button";
      name.addEventListener("click", () => open(number, true));
    }
    left.append(...picture(number, 36), name);
    item.append(left, make("span", `mark ${mark}`, MARKS[mark]));
    return item;
  };

  const tell = (text, name) => {
    const bdi = make("bdi", "", name);
    $("told").replaceChildren(...(name === undefined ? [] : [bdi, name && text.startsWith("matches") ? " " : ": "]), text);
  };

  const open = (number, focus) => {
    current = number;
    const { mapping, source, target, place } = view();
    shown.hidden = false;
    shown.replaceChildren();
    const who = make("div", "who"), head = named("h3", "", data.names[number]), text = make("div");
    head.tabIndex = -1;
    text.append(head, ...labelled(number));
    who.append(...picture(number, 64), text);
    shown.append(who);
    if (!place.has(number)) {
      shown.append(make("p", "intro", "This item was not tested in this direction."));
      return;
    }
    const [x, f, y] = ["x", "f", "y"].map((name) => near(name, number));
    const kind = (other) => (x.includes(other) ? (y.includes(other) ? "shared" : "echoed") : y.includes(other) ? "bridged" : "novel");
    const columns = make("div", "columns");
    for (const [title, under, items, mark] of [
      [source, "neighbors in the input, X", x, (other) => (f.includes(other) ? kind(other) : "missed")],
      [mapping, "neighbors as mapped, f(X)", f, kind],
      [target, "neighbors in the target, Y", y, (other) => (f.includes(other) ? kind(other) : "missed")],
    ]) {
      const column = make("div"), ol = make("ol");
      ol.append(...items.map((other) => line(other, mark(other))));
      column.append(named("h4", "", title), make("p", "", under), ol);
      columns.append(column);
    }
    shown.append(columns);
    const count = (part) => f.filter((other) => kind(other) === part).length;
    tell(["shared", "echoed", "bridged", "novel"].map((part) => `${count(part)} ${part}`).join(", "), data.names[number]);
    if (focus) {
      head.focus({ preventScroll: true });
      shown.scrollIntoView({ block: "nearest" });
    }
  };

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (number) => {
    active = number;
    [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === active)));
    if (active < 0) return;
    input.setAttribute("aria-activedescendant", `found-${active}`);
    list.children[active].scrollIntoView({ block: "nearest" });
  };
  const choose = (number) => {
    input.value = data.names[number];
    close();
    open(number, false);
  };
  const find = () => {
    const wanted = fold(input.value.trim());
    const known = view().place;
    const starts = [], holds = [];
    for (let number = 0; number < folded.length && wanted; number += 1) {
      const at = known.has(number) ? folded[number].indexOf(wanted) : -1;
      if (at === 0) starts.push(number);
      else if (at > 0 && holds.length < MOST) holds.push(number);
    }
    starts.sort((a, b) => folded[a].length - folded[b].length);
    matches = [...starts, ...holds].slice(0, MOST);
    const options = matches.map((number, place) => {
      const option = named("li", "", data.names[number]);
      option.id = `found-${place}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.append(...labelled(number).flatMap((label) => [" ", label]));
      option.addEventListener("mousedown", (event) => {
        event.preventDefault();
        choose(number);
      });
      return option;
    });
    list.replaceChildren(...options);
    list.hidden = !matches.length;
    active = -1;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
    const number = known.size, total = Number($("told").dataset.total), locale = (count) => count.toLocaleString("en");
    const held = number < total ? `this file holds ${locale(number)} of ${locale(total)} items` : `of ${locale(number)} items`;
    if (!wanted) tell("");
    else if (matches.length) tell(`${matches.length}${matches.length === MOST ? " or more" : ""} items found`);
    else tell(`matches no item (${held}).`, input.value.trim());
  };
  input.addEventListener("input", find);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter") {
      event.preventDefault();
      if (list.hidden) find();
      if (matches.length) choose(matches[Math.max(active, 0)]);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) find();
      if (matches.length) mark((active + (event.key === "ArrowDown" ? 1 : active < 0 ? 0 : -1) + matches.length) % matches.length);
    }
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  const rankingsOf = () => rankings.forEach((each) => {
    each.hidden = each.dataset.view !== choice.value;
    each.open = !each.hidden;
  });
  choice.addEventListener("change", () => {
    rankingsOf();
    if (current !== null) open(current, false);
  });
  choice.value = rankings.find((each) => each.open)?.dataset.view ?? "0";
  rankingsOf();
  const rows = new Map(data.rows.map((row, number) => [String(row), number]));
  for (const name of document.querySelectorAll(".ranked [data-item]")) {
    const number = rows.get(name.dataset.item);
    if (number === undefined) continue;
    const button = named("button", "open name", name.textContent);
    button.type = "button";
    button.dataset.row = name.dataset.item;
    button.addEventListener("click", () => open(number, true));
    name.replaceWith(button);
  }
  for (const element of document.querySelectorAll("#items .needs-script")) element.hidden = element.id === "item";
  input.disabled = false;
  const first = document.querySelector(".ranking[open] [data-row]");
  if (first) open(rows.get(first.dataset.row), false);
};

const packed = $("drill");
if (packed) {
  try {
    lookup(await unpack(packed.textContent)); // DecompressionStream: browsers from 2023 on
    document.documentElement.dataset.ready = "";
  } catch (error) {
    console.warn(error);
    $("told").className = "note";
    $("told").textContent = "Items cannot be looked up here: this browser is too old, or this file is damaged. The rankings below need neither.";
  }
}

addEventListener("beforeprint", () => document.querySelectorAll(".ranking:not([hidden])").forEach((each) => { each.open = true; }));
