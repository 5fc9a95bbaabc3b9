// The service workers: each one file without imports, since not every browser knows workers that
// have some, and with a name that never changes, since browsers look for news there. So the two
// must have no module in common.
import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    // The rest of the client is there already.
    emptyOutDir: false,
    rollupOptions: {
      input: ["src/report-worker.ts", "src/alert-worker.ts"],
      output: { format: "es", entryFileNames: "[name].js" },
    },
  },
});
