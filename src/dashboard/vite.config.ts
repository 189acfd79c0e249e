import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `--mode mock` answers the API from mock/: for work on the pages without a daemon.
export default defineConfig(async ({ mode }) => ({
  plugins: [react(), ...(mode === "mock" ? [(await import("./mock/plugin.ts")).mock()] : [])],
  build: {
    // Nothing is inlined: the content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
    // A browser has six connections to a host: few files, and what all pages share in one.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "early", test: /src.lib.(early|query)/, priority: 3 },
            { name: "charts", test: /node_modules.(echarts|zrender|tslib)/, priority: 2 },
            { name: "editor", test: /node_modules.(@codemirror|@lezer|@marijn|style-mod|w3c-keyname|crelt)/, priority: 2 },
            { name: "base", test: /node_modules|src.(ui.(?!Editor|Face)|lib)/, priority: 1 },
          ],
        },
      },
    },
  },
  worker: { format: "es" as const },
  test: { include: ["src/**/*.test.ts"] },
}));
