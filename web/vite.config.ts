import { preact } from "@preact/preset-vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/app/",
  plugins: [preact({ devToolsEnabled: false })],
  build: {
    outDir: "built",
    emptyOutDir: true,
    target: "es2022",
    // SECURITY: an inlined file would need `data:` or 'unsafe-inline' in the policy of the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  worker: { format: "es" },
  // Remedies of reasons come from the documentation.
  server: { proxy: { "/api": "http://127.0.0.1:5000" }, fs: { allow: [".", "../docs"] } },
  test: { environment: "jsdom", include: ["tests/**/*.test.{ts,tsx}"] },
});
