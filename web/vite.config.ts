// The page is built into the Python package, which serves it; `npm run dev` serves it with the API of a running server.
import { defineConfig } from "vite";

const server = process.env["NILOMETER_URL"] ?? "http://127.0.0.1:8127";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../src/nilometer/web/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy allows no data: URLs
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: server, changeOrigin: true } } },
});
