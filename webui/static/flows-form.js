// The form of the chosen node, made out of what the box says that may be written into it.

import {element, isOpen, kindName, kinds, say, script, waySaid} from "./flows-words.js";
import {glyph} from "./flows-palette.js";

const LANGUAGES = ["zh", "en"];
const KEYS = [..."1234567890*#"];
const NAME = /^[a-z][a-z0-9-]{0,31}$/;

export class Form {
  // act: edit(edits, said), rename, remove, duplicate, start, wire(name, place, to), more(name, way, key, to)
  constructor(holder, act) {
    this.holder = holder;
    this.act = act;
    this.player = new Audio();
  }

  show(picture, names, editable) {
    const held = this.held();
    this.picture = picture;
    this.node = names.length === 1 ? picture.nodes.find(node => node.name === names[0]) : null;
    this.editable = editable;
    if (this.node) this.holder.replaceChildren(...this.parts(this.node));
    else this.holder.replaceChildren(element("p", {class: "flow-hint"}, names.length > 1
      ? say("chosen", names.length) : say("choose_node")), ...(names.length > 1 && editable ? [this.acts(names)] : []));
    if (!editable) for (const one of this.holder.querySelectorAll("input, select, textarea")) one.disabled = true;
    this.hold(held);
  }

  focus() {
    (this.holder.querySelector("[data-first]") ?? this.holder.querySelector("input, select, textarea, button"))?.focus();
  }

  // What somebody is writing stays, though the picture is another.
  held() {
    const one = document.activeElement;
    if (!this.holder.contains(one) || !one.id) return null;
    return {id: one.id, node: this.node?.name, dirty: one.value !== one.defaultValue && one.matches("input, textarea"),
      value: one.value, at: one.selectionStart};
  }

  hold(held) {
    const one = held && this.node?.name === held.node && document.getElementById(held.id);
    if (!one) return;
    if (held.dirty) one.value = held.value;
    one.focus({preventScroll: true});
    if (held.at !== null && held.at !== undefined && one.setSelectionRange && one.type !== "number") one.setSelectionRange(held.at, held.at);
  }

  parts(node) {
    const kind = kinds.get(node.kind);
    const fields = [...(kind?.fields ?? []).filter(field => !field.name.includes(".") || field.name in node.values), ...node.more];
    const name = element("input", {id: "f-name", value: node.name, maxlength: 32, autocomplete: "off", spellcheck: "false"});
    name.addEventListener("change", () => this.rename(name));
    return [
      element("header", {class: "flow-form-head", "data-group": kind?.group ?? "end"}, glyph(node.kind),
        element("h2", {}, kindName(node.kind)), element("small", {}, kind?.about ?? "")),
      label(say("name"), name),
      ...this.wrong(node, null),
      ...fields.filter(field => !field.ways).map(field => this.field(node, field)),
      this.ways(node),
      ...fields.filter(field => field.ways).map(field => element("details", {class: "flow-as-yaml"},
        element("summary", {}, `${field.words} (YAML)`), this.field(node, field))),
      node.comment ? element("div", {class: "flow-note"}, element("h3", {}, say("note")), element("p", {}, node.comment)) : null,
      this.editable ? this.acts([node.name]) : null,
    ].filter(Boolean);
  }

  acts(names) {
    const buttons = [];
    if (names.length === 1 && names[0] !== this.picture.start)
      buttons.push(button(say("set_start"), () => this.act.start(names[0]), "f-start"));
    else if (names.length === 1) buttons.push(element("span", {class: "badge"}, say("start")));
    buttons.push(button(say("duplicate"), () => this.act.duplicate(names), "f-duplicate"),
      button(say("delete"), () => this.act.remove(names), "f-delete"));
    return element("div", {class: "flow-form-acts"}, ...buttons);
  }

  rename(input) {
    const to = input.value.trim();
    if (to === this.node.name) return;
    const taken = this.picture.nodes.some(node => node.name === to);
    input.setCustomValidity(NAME.test(to) ? taken ? say("taken", to) : "" : say("bad_name"));
    if (input.reportValidity()) this.act.rename(this.node.name, to);
  }

  // Mistakes of one key, or of the node itself.
  wrong(node, name) {
    const found = this.picture.mistakes.filter(one => one.node === node.name
      && (name === null ? !one.keys.length : one.keys.join(".") === name || one.keys.join(".").startsWith(`${name}.`)));
    return found.map(one => element("p", {class: "flow-wrong"}, one.text));
  }

  // --- fields ---

  field(node, field) {
    const value = node.values[field.name];
    const make = this[`as_${field.shape.replace("-", "_")}`] ?? this.as_yaml;
    const whole = ["prompts", "texts", "map"].includes(field.shape);
    const id = `f-${field.name}`;
    const made = make.call(this, field, value, id);
    const box = whole ? element("fieldset", {class: "flow-field"}, element("legend", {}, field.words, star(field)), ...made)
      : element("div", {class: "flow-field"}, label(element("span", {}, field.words, star(field)), ...made));
    box.append(...this.wrong(node, field.name));
    return box;
  }

  set(field, change) {
    this.act.edit([{do: "set", keys: ["nodes", this.node.name, ...keysOf(field.name)], ...change}], say("saved"));
  }

  set_or_go(field, value) {
    this.set(field, value === "" ? {gone: true} : {value});
  }

  as_text(field, value, id) {
    if (field.choices.length && field.of !== "file") return this.as_choice(field, value, id);
    const input = element("input", {id, value: value ?? "", autocomplete: "off", spellcheck: "false",
      placeholder: field.default === "null" ? "" : unquoted(field.default), list: field.choices.length ? `${id}-list` : null});
    input.addEventListener("change", () => this.set_or_go(field, input.value.trim()));
    return [input, list(`${id}-list`, field.choices)];
  }

  as_number(field, value, id) {
    const input = element("input", {id, type: "number", step: "any", value: value ?? "", min: field.least, max: field.most,
      placeholder: field.default === "null" ? "" : field.default});
    input.addEventListener("change", () => {
      if (input.reportValidity()) this.set_or_go(field, input.value === "" ? "" : Number(input.value));
    });
    return [input];
  }

  as_yes_no(field, value, id) {
    const select = element("select", {id}, ...[["", this.nothing(field, field.default === "true" ? say("yes") : say("no"))],
      ["true", say("yes")], ["false", say("no")]].map(([key, text]) =>
      element("option", {value: key, selected: key === (value === undefined ? "" : String(value))}, text)));
    select.addEventListener("change", () => this.set_or_go(field, select.value === "" ? "" : select.value === "true"));
    return [select];
  }

  as_choice(field, value, id) {
    const all = [...new Set([...field.choices, ...(value === undefined ? [] : [String(value)])])];
    const select = element("select", {id}, ...(field.required && value !== undefined ? [] : [element("option", {value: ""},
      this.nothing(field, unquoted(field.default)))]),
    ...all.map(one => element("option", {value: one, selected: one === String(value ?? "")}, script.words.choices[one] && field.of !== "queue" ? script.words.choices[one] : one)));
    select.addEventListener("change", () => this.set_or_go(field, select.value));
    return [select];
  }

  nothing(field, said) {
    return field.default && field.default !== "null" && said ? say("default_is", said) : say("not_given");
  }

  as_lines(field, value, id) {
    const area = element("textarea", {id, rows: 3, spellcheck: "false"});
    area.defaultValue = Array.isArray(value) ? value.join("\n") : value ?? "";
    area.addEventListener("change", () => {
      const lines = area.value.split("\n").map(line => line.trim()).filter(Boolean);
      this.set(field, lines.length ? {value: lines} : {gone: true});
    });
    return [area];
  }

  as_texts(field, value, id) {
    const given = typeof value === "string" ? Object.fromEntries(LANGUAGES.map(one => [one, value])) : value ?? {};
    const areas = LANGUAGES.map(language => {
      const area = element("textarea", {id: `${id}-${language}`, rows: 2, lang: language});
      area.defaultValue = given[language] ?? "";
      area.addEventListener("change", () => {
        const said = Object.fromEntries(areas.map((one, place) => [LANGUAGES[place], one.value.trim()]).filter(([, text]) => text));
        this.set(field, Object.keys(said).length ? {value: said} : {gone: true});
      });
      return area;
    });
    return areas.map((area, place) => label(script.words.choices[LANGUAGES[place]], area));
  }

  as_prompts(field, value, id) {
    const given = value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)];
    const keep = prompts => this.set(field, prompts.length ? {value: prompts.length === 1 ? prompts[0] : prompts} : {gone: true});
    const all = field.choices;
    const rows = (given.length ? given : [""]).map((prompt, place) => {
      const input = element("input", {id: `${id}-${place}`, value: prompt, list: `${id}-list`, autocomplete: "off", spellcheck: "false",
        "aria-label": `${field.words} ${place + 1}`});
      input.addEventListener("change", () => keep(given.length ? given.map((one, at) => at === place ? input.value.trim() : one).filter(Boolean)
        : [input.value.trim()].filter(Boolean)));
      const row = element("div", {class: "flow-row"}, input, this.hear(prompt));
      if (this.editable && given.length > 1) {
        if (place) row.append(button("↑", () => keep(given.toSpliced(place, 1).toSpliced(place - 1, 0, prompt)), "", say("up")));
        row.append(button("✕", () => keep(given.toSpliced(place, 1)), "", say("take_away")));
      }
      const says = this.picture.prompts[`${this.picture.language}/${prompt}`];
      return element("div", {}, row, says ? element("p", {class: "flow-says"}, say("says", says)) : null);
    });
    const more = this.editable && given.length ? [button(say("add_prompt"), () => {
      const input = element("input", {id: `${id}-${given.length}`, list: `${id}-list`, autocomplete: "off", "aria-label": say("add_prompt")});
      input.addEventListener("change", () => keep([...given, input.value.trim()].filter(Boolean)));
      more[0].replaceWith(input);
      input.focus();
    })] : [];
    return [...rows, ...more, list(`${id}-list`, all)];
  }

  hear(prompt) {
    if (!script.audio || !prompt || prompt.includes(":")) return null;
    return button("▶", () => {
      this.player.src = heardAt(`${this.picture.language}/${prompt}`);
      this.player.play().catch(() => {});
    }, "", say("hear", prompt));
  }

  as_map(field, value, id) {
    const rows = [...(value ?? [])];
    const keep = changed => {
      const given = changed.filter(([key]) => key);
      this.set(field, given.length ? {rows: given} : {gone: true});
    };
    const made = [...rows, ...(this.editable ? [["", ""]] : [])].map(([key, text], place) => {
      const fresh = place === rows.length;
      const name = element("input", {id: `${id}-${place}-name`, value: key, autocomplete: "off", spellcheck: "false", "aria-label": say("what_name"),
        list: field.choices.length ? `${id}-list` : null, placeholder: fresh ? say("add_row") : ""});
      const what = element("input", {id: `${id}-${place}`, value: text, autocomplete: "off", spellcheck: "false", "aria-label": say("what_value")});
      const changed = () => {
        if (fresh && (!name.value.trim() || !what.value.trim())) return;
        keep([...rows, ["", ""]].map((row, at) => at === place ? [name.value.trim(), what.value.trim()] : row));
      };
      name.addEventListener("change", changed);
      what.addEventListener("change", changed);
      return element("div", {class: "flow-row"}, name, what,
        this.editable && !fresh ? button("✕", () => keep(rows.toSpliced(place, 1)), "", say("take_away")) : null);
    });
    return [...made, list(`${id}-list`, field.choices)];
  }

  as_yaml(field, value, id) {
    const area = element("textarea", {id, rows: Math.min(8, 2 + String(value ?? "").split("\n").length), spellcheck: "false", class: "flow-code"});
    area.defaultValue = value ?? "";
    area.addEventListener("change", () => this.set(field, area.value.trim() ? {yaml: area.value} : {gone: true}));
    return [area];
  }

  // --- ways ---

  ways(node) {
    const rows = node.ways.map((way, place) => isOpen(way) ? this.more(node, way) : this.way(node, way, place));
    return element("fieldset", {class: "flow-field flow-ways"}, element("legend", {}, say("ways")),
      ...(rows.length ? rows : [element("p", {class: "flow-says"}, say("no_way"))]));
  }

  way(node, way, place) {
    const select = this.targets(`w-${way.keys.join("-")}`, way.to, !way.required || !way.to);
    select.addEventListener("change", () => this.act.wire(node.name, place, select.value));
    return element("div", {}, element("label", {class: "flow-way"}, element("span", {}, waySaid(way), star(way)), select),
      ...this.wrong(node, way.keys.join(".")).slice(0, 1));
  }

  more(node, way) {
    if (!this.editable) return "";
    const digits = way.keys[0] === "digits";
    const used = new Set(node.ways.filter(one => one.keys[0] === "digits").map(one => String(one.keys[1])));
    const key = digits ? element("select", {id: "w-more-key", "aria-label": say("new_key")},
      ...KEYS.filter(one => !used.has(one)).map(one => element("option", {}, one)))
      : element("input", {id: "w-more-key", "aria-label": say("new_case"), placeholder: say("new_case"), autocomplete: "off", spellcheck: "false"});
    const to = this.targets("w-more-to", "", true);
    to.setAttribute("aria-label", say("new_to"));
    to.addEventListener("change", () => {
      if (to.value && key.value.trim()) this.act.more(node.name, way, key.value.trim(), to.value);
    });
    return element("div", {class: "flow-way flow-more"}, key, to);
  }

  targets(id, to, nowhere) {
    const names = this.picture.nodes.map(node => node.name);
    if (to && !names.includes(to)) names.push(to);
    return element("select", {id}, ...(nowhere ? [element("option", {value: ""}, say("nowhere"))] : []),
      ...names.map(name => element("option", {value: name, selected: name === to}, name)));
  }
}

export const heardAt = name => script.audio.replace("NAME", name.split("/").map(encodeURIComponent).join("/"));
export const keysOf = name => name.split(".").map(part => /^\d+$/.test(part) && name.startsWith("cases.") ? Number(part) : part);

function label(text, ...inner) {
  return element("label", {}, text, ...inner);
}

function star(field) {
  return field.required ? element("abbr", {title: "", "aria-hidden": "true"}, " *") : "";
}

function list(id, choices) {
  return choices.length ? element("datalist", {id}, ...choices.map(one => element("option", {value: one}))) : "";
}

function button(text, act, id = "", said = "") {
  return element("button", {type: "button", class: "quiet", id: id || null, "aria-label": said || null, title: said || null, onclick: act}, text);
}

const unquoted = text => text.replace(/^(['"])(.*)\1$/, "$2");
