import { plain } from "../ui/plain";
import type { Cell } from "./blocks";

/** Keep bytes or text as a file; the browser asks the user where. */
export function saveFile(content: Blob | string, name: string): void {
  const blob = typeof content === "string" ? new Blob([content], { type: "text/plain" }) : content;
  const link = document.createElement("a");
  const address = URL.createObjectURL(blob);
  link.href = address;
  link.download = fileName(name);
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const LONGEST = 100;

/** Return a name that no file system, and no reader of a list of files, takes for another one. */
export function fileName(text: string): string {
  const kept = plain(text)
    .replace(/[^\p{L}\p{N}._ -]+/gu, "_")
    .replace(/^[. ]+/, "");
  const [stem = "", end = ""] = kept.split(/(\.[a-z]+)$/);
  return `${stem.slice(0, LONGEST).trim() || "result"}${end}`;
}

/** Return a table as CSV: numbers with all digits. */
export function csvOf(
  header: readonly string[],
  rows: readonly (readonly (Cell | undefined)[])[],
): string {
  return [header, ...rows].map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
}

/** Texts are in quotation marks, so that no separator of another country divides them. */
function csvCell(value: Cell | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const said = plain(
    Array.isArray(value) ? value.map((one) => String(one ?? "")).join(", ") : value,
  );
  return `"${harmless(said).replaceAll('"', '""')}"`;
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e[+-]\d+)?`;
const SHOWN = `(?:${NUMBER}|masked|-)`;
/** Numbers as tables show them: alone, in a list, or with a share, a deviation or an interval. */
const NUMBERS = new RegExp(
  `^(?:-|${NUMBER}(?:(?:, ${NUMBER})+| [([]${SHOWN}(?: %)?(?:; ${SHOWN})?[)\\]])?)$`,
);
/** Where a spreadsheet may begin a cell, whichever separator it takes, and what begins a formula. */
const FORMULAS = /(^|[;|\t\r\n])(?=[^\S\t\r\n]*[=+\-@＝＋－＠])/g;

/**
 * Return a text that a spreadsheet does not compute.
 *
 * SECURITY: other people wrote the text, and a formula may call programs and addresses.
 */
export function harmless(text: string): string {
  return NUMBERS.test(text) ? text : text.replace(FORMULAS, "$1'");
}

/** Return a table as text that spreadsheets and documents take from the clipboard. */
export function clipboardText(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const clean = (text: string) => harmless(text.replace(/[\t\r\n]+/g, " "));
  return [header, ...rows].map((row) => row.map(clean).join("\t")).join("\n");
}

/** What of the styles of the page a picture needs to look the same elsewhere. */
const STYLES = [
  ...["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity"],
  ...["font-family", "font-size", "font-weight", "font-variant-numeric"],
];

/** Return a picture as a document of its own, with the colours that it has on the page. */
export function svgOf(picture: SVGSVGElement): Blob {
  return new Blob([svgText(picture)], { type: "image/svg+xml" });
}

export function svgText(picture: SVGSVGElement): string {
  const copy = picture.cloneNode(true) as SVGSVGElement;
  const originals = [picture, ...picture.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, at) => {
    const original = originals[at];
    if (!original) return;
    const styles = getComputedStyle(original);
    for (const name of STYLES) {
      const value = styles.getPropertyValue(name);
      // A pattern is named by an address within the document.
      if (value && !value.includes("url(")) element.setAttribute(name, value);
    }
    element.removeAttribute("class");
  });
  const background = document.createElementNS(SVG, "rect");
  background.setAttribute("width", "100%");
  background.setAttribute("height", "100%");
  background.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  copy.insertBefore(background, copy.querySelector("desc")?.nextSibling ?? copy.firstChild);
  copy.setAttribute("xmlns", SVG);
  return new XMLSerializer().serializeToString(copy);
}

const SVG = "http://www.w3.org/2000/svg";
/** Pictures for print and slides have so many points for each of the page. */
const SHARPNESS = 2;

/** Return a picture as PNG. */
export async function pngOf(picture: SVGSVGElement): Promise<Blob> {
  const image = new Image();
  // The policy of the page allows pictures from `data:`, and from no other address.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(picture))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.width.baseVal.value * SHARPNESS;
  canvas.height = picture.height.baseVal.value * SHARPNESS;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("The browser draws no pictures.");
  pen.scale(SHARPNESS, SHARPNESS);
  pen.drawImage(image, 0, 0);
  return new Promise((keep, refuse) => {
    canvas.toBlob(
      (blob) => (blob ? keep(blob) : refuse(new Error("The picture is too large."))),
      "image/png",
    );
  });
}
