// Where things of the picture are, and how they look. Pixels of the picture; a node's corner is its upper left one.

export const WIDTH = 216, HEAD = 56, ROW = 24, GRID = 10, IN_Y = 24;

export const height = node => HEAD + ROW * Math.max(1, node.ways.length);
export const outY = place => HEAD + ROW * place + 8;
export const snap = value => Math.max(0, Math.round(value / GRID) * GRID);

export function wirePath(x1, y1, x2, y2, below) {
  const head = `M${x2 - 9} ${y2 - 5}L${x2} ${y2}L${x2 - 9} ${y2 + 5}`;
  if (x2 >= x1 + 24) {
    const bend = Math.max(30, Math.min(160, (x2 - x1) / 2));
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}${head}`;
  }
  const low = Math.max(below, y1, y2) + 26;
  return `M${x1} ${y1}C${x1 + 70} ${y1} ${x1 + 70} ${low} ${x1 - 20} ${low}`
    + `L${x2 + 20} ${low}C${x2 - 70} ${low} ${x2 - 70} ${y2} ${x2} ${y2}${head}`;
}

// Letters that fit: one of Chinese is as wide as two others.
export function cut(text, widest) {
  let wide = 0;
  const letters = [...String(text)];
  for (const [place, letter] of letters.entries()) {
    wide += letter.codePointAt(0) > 0x2e80 ? 2 : 1.08;
    if (wide > widest) return `${letters.slice(0, Math.max(0, place - 1)).join("")}…`;
  }
  return letters.join("");
}

export const ICONS = {
  play: "M8 5.2v13.6L19 12z",
  say: "M4 5h16v11H10l-4 4v-4H4z",
  language: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  menu: "M5 5h3v3H5zM10.5 5h3v3h-3zM16 5h3v3h-3zM5 10.5h3v3H5zM10.5 10.5h3v3h-3zM16 10.5h3v3h-3zM10.5 16h3v3h-3z",
  collect: "M3 7h18v10H3zM7 12h.1M12 12h.1M17 12h.1",
  record: "M12 4a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3M6 11v1a6 6 0 0 0 12 0v-1M12 18v3",
  authenticate: "M8.5 20a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9M11.8 12.4 20 4M16 8l3 3",
  survey: "M5 4h14v16H5zM8.5 9l1.2 1.2L12 8M8.5 15l1.2 1.2L12 14M14 9.5h2.5M14 15.5h2.5",
  hours: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3.5 2",
  branch: "M12 3l8 9-8 9-8-9zM12 9v3.5M12 15.2v.3",
  set: "M4 8h16M4 16h16M9 5v6M15 13v6",
  lookup: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5 21 21",
  queue: "M7 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4M17 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4M3.5 18c.4-4 1.6-6 3.5-6s3.1 2 3.5 6M13.5 18c.4-4 1.6-6 3.5-6s3.1 2 3.5 6",
  transfer: "M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4",
  callback: "M6 4h3l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v3c0 1-1 2-2 2C11 20 4 13 4 6c0-1 1-2 2-2M15 4h5v5M20 4l-6 6",
  voicemail: "M6.5 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M17.5 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M6.5 16h11",
  notice: "M4 10v4h3l7 4V6L7 10zM17.5 9a4 4 0 0 1 0 6",
  agent: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.5 20.5c1.2-3.6 4-5.2 7.5-5.2s6.3 1.6 7.5 5.2",
  flow: "M4 4h6v5H4zM14 15h6v5h-6zM7 9v8h7",
  hangup: "M3 14c5-6 13-6 18 0l-2.5 3-4-1.5V12.5c-2-.6-3-.6-5 0v3L5.500 17z",
  return: "M9 6 4 11l5 5M4 11h11a5 5 0 0 1 0 10h-2",
  replay: "M4 12a8 8 0 1 0 3-6.200M4 4v4.500h4.500M10.500 9v6l5-3z",
  pause: "M8 5v14M16 5v14",
  resume: "M6 5v14M11 5.500v13L20 12z",
};
