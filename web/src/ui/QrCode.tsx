import { useMemo } from "preact/hooks";
import encode from "qrcode-generator";

/** Light modules around the code, which scanners need. */
const QUIET = 4;

/** A text as a QR code, drawn here: no picture is loaded, and the text goes nowhere. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const [path, size] = useMemo(() => draw(text), [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <rect class="light" width={size} height={size} />
      <path class="dark" d={path} />
    </svg>
  );
}

/** Return the dark modules of a QR code as an SVG path, and the width of the drawing. */
export function draw(text: string): [string, number] {
  const code = encode(0, "M");
  code.addData(text, "Byte");
  code.make();
  const count = code.getModuleCount();
  let path = "";
  for (let row = 0; row < count; row += 1)
    for (let column = 0; column < count; column += 1)
      if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
  return [path, count + 2 * QUIET];
}
