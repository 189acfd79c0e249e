import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { mock } from "./mock/plugin.ts";

// `--mode mock` answers the API from mock/: for work on the pages without a daemon.
export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === "mock" ? [mock()] : [])],
  build: {
    // Nothing is inlined: the content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  worker: { format: "es" },
  test: { include: ["src/**/*.test.ts"] },
}));
