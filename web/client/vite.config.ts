import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";
import { basemap } from "./basemap";
import { icons } from "./icons";

const PACKED = /\.(js|css|json)$/;
const SMALLEST_PACKED = 1024;

/** Packed copies beside each file: the app sends them as they are, without packing at run time. */
function packed(): Plugin {
  return {
    name: "packed",
    writeBundle({ dir }) {
      if (dir === undefined) return;
      for (const name of readdirSync(dir)) {
        if (!PACKED.test(name)) continue;
        const plain = readFileSync(join(dir, name));
        if (plain.length < SMALLEST_PACKED) continue;
        writeFileSync(join(dir, `${name}.gz`), gzipSync(plain, { level: 9 }));
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(plain));
      }
    },
  };
}

export default defineConfig({
  base: "/assets/",
  plugins: [basemap(), icons(), packed()],
  css: { preprocessorOptions: { scss: { quietDeps: true, silenceDeprecations: ["if-function"] } } },
  build: {
    target: "es2022",
    assetsDir: "",
    // A data: address for a small file would need a wider content security policy.
    assetsInlineLimit: 0,
    // Not in a hidden folder: packagers leave those out.
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1600,
    rollupOptions: {
      input: [
        "src/finder.ts",
        "src/home.ts",
        "src/report.ts",
        "src/docs.ts",
        "src/plain.ts",
        "src/signin.ts",
        "src/shortlist-page.ts",
        "src/framed.ts",
        "src/embed.ts",
        "src/alerts.ts",
        "src/desk.ts",
        "src/desk-home.ts",
      ],
      output: {
        // Stands in other people's pages: its name never changes (web/embed.py serves it).
        entryFileNames: ({ name }) => (name === "embed" ? "embed.js" : "[name]-[hash].js"),
      },
    },
  },
});
