// The service worker of the report pages: one file without imports, since not every browser knows
// workers that have some, and with a name that never changes, since browsers look for news there.
import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    // The rest of the client is there already.
    emptyOutDir: false,
    rollupOptions: {
      input: "src/report-worker.ts",
      output: { format: "iife", entryFileNames: "report-worker.js" },
    },
  },
});
