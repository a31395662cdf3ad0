import { expect, test } from "vitest";
import { draw } from "../src/ui/QrCode";

test("a QR code is square, has its three corners, and the light edge that scanners need", () => {
  const [path, size] = draw("otpauth://totp/vantage6:anna?secret=JBSWY3DPEHPK3PXP&issuer=vantage6");
  const dark = new Set([...path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => `${x},${y}`));
  const edge = 4;
  const corner = (x: number, y: number) =>
    [0, 3, 6].every((step) => dark.has(`${x + step},${y}`) && dark.has(`${x},${y + step}`));
  expect(corner(edge, edge)).toBe(true);
  expect(corner(size - edge - 7, edge)).toBe(true);
  expect(corner(edge, size - edge - 7)).toBe(true);
  for (const place of dark)
    for (const at of place.split(",").map(Number)) {
      expect(at).toBeGreaterThanOrEqual(edge);
      expect(at).toBeLessThan(size - edge);
    }
});
